//! hello: the smallest service on the chassis, to copy (docs/ship-a-service.md).
//!
//! `router` is the table of contents; each handler is a file in `routes`. Everything else (ports, health, logs, traces, metrics of
//! requests, timeouts, faults, drain) is the chassis's.

pub mod config;
pub mod faults;
mod life;
pub mod metrics;
pub mod openapi;
pub mod router;
pub mod routes;
pub mod state;

use chassis_core::ServiceInfo;
use chassis_http::Routes;
use chassis_service::App;
use chassis_telemetry::Chassis;

pub use config::HelloConfig;
pub use life::live;

use crate::{metrics::HelloMetrics, state::AppState};

/// Who this process is.
pub const SERVICE: ServiceInfo = ServiceInfo { name: "hello", version: env!("CARGO_PKG_VERSION") };

/// Assembles the routes. Ready means: running, because it needs nothing else.
#[must_use]
pub fn build(config: &HelloConfig, chassis: Chassis) -> App {
    let state = AppState { metrics: HelloMetrics::register(&chassis.metrics) };
    App::new(&config.common, chassis).offering(Routes::documented(router::routes().with_state(state)))
}
