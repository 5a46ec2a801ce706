//! The boards, in the order of the menu.

mod data_stores;
mod edge;
mod hops;
mod host;
mod incidents;
mod kubernetes;
mod order_api;
mod order_worker;
mod orders_pipeline;
mod overview;
mod probes;
mod sandbox;
mod servers;
mod shared;
mod slo;
mod sre_operations;
mod user_service;

use crate::model::Board;

/// All boards.
#[must_use]
pub fn all() -> Vec<Board> {
    vec![
        overview::board(),
        slo::board(),
        edge::board(),
        order_api::board(),
        user_service::board(),
        order_worker::board(),
        orders_pipeline::board(),
        data_stores::board(),
        host::board(),
        kubernetes::board(),
        sandbox::board(),
        sre_operations::board(),
        incidents::board(),
    ]
}

/// Tags of a board besides the lab's own: those by which readers of the SRE exercises look for it.
pub(crate) fn tags(uid: &str) -> &'static [&'static str] {
    if uid == sre_operations::UID { sre_operations::TAGS } else { &[] }
}
