//! The lab's pager: receives Alertmanager's notifications, keeps the latest in memory, returns them as JSON.
//!
//! * [`receive`] -- the two webhooks, Alertmanager's own and Slack's. What cannot be read is refused with the field's name.
//! * [`store`] -- the pages: bounded, repeats of the same alert counted and not stored again.
//! * [`routes`], [`metrics`], [`config`] -- the process.

pub mod config;
pub mod metrics;
pub mod page;
pub mod receive;
pub mod routes;
pub mod store;

use chassis_service::{App, Chassis, ServiceInfo};

use crate::{
    config::PagerConfig,
    routes::{PATHS, Pager},
};

/// Who this process is.
pub const SERVICE: ServiceInfo = ServiceInfo { name: "lab-pager", version: env!("CARGO_PKG_VERSION") };

/// Assembles the pager. Its routes are on the admin port, the only one that it has. Ready means: running, since there is nothing
/// to wait for.
#[must_use]
pub fn build(config: &PagerConfig, chassis: Chassis) -> App {
    let pager = Pager::new(config.keep, &chassis.metrics);
    App::new(&config.common(), chassis).administering(routes::router(pager), PATHS)
}
