//! The state that all connections of a server share.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use axum::Router;

use crate::{Refusal, Settings, clock::Clock, crowd::Crowd, gate::Gate};

/// The routes and the limits of a server, and who is connected.
pub(crate) struct Port {
    pub(crate) routes: Router,
    pub(crate) settings: Settings,
    pub(crate) gate: Gate,
    pub(crate) crowd: Arc<Crowd>,
    pub(crate) clock: Clock,
    /// Every response closes its connection.
    pub(crate) retiring: AtomicBool,
    /// When the last connection arrived, by the clock.
    pub(crate) last_came: AtomicU64,
}

impl Port {
    pub(crate) fn refused(&self, refusal: Refusal) {
        (self.settings.on_refusal)(refusal);
    }

    pub(crate) fn is_retiring(&self) -> bool {
        self.retiring.load(Relaxed)
    }
}
