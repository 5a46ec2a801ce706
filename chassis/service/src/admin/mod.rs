//! The admin port of every service.
//!
//! * `GET /livez` -- 200 while the process runs.
//! * `GET /readyz` -- 200, or 503 naming each dependency that is not ready.
//! * `GET /metrics` -- Prometheus text, or OpenMetrics with exemplars on request.
//! * `GET|PUT|DELETE /faults[/{name}]` -- the fault switch.
//! * `GET|PUT|DELETE /protections[/{name}]` -- the protection switches.
//! * `GET /version` -- name, version, revision.

mod faults;
mod guard;
mod protections;
mod status;

use axum::{Router, routing::get};

use chassis_faults::FaultsConfig;
use chassis_telemetry::Chassis;

/// The admin routes; a service may merge its own in.
pub fn router(chassis: &Chassis, config: &FaultsConfig) -> Router {
    Router::new()
        .route("/livez", get(status::livez))
        .route("/readyz", get(status::readyz))
        .route("/metrics", get(status::metrics))
        .route("/version", get(status::version))
        .with_state(chassis.clone())
        .merge(faults::router(chassis, config))
        .merge(protections::router(chassis, config))
        .fallback(|| async { guard::not_found("There is no such route.") })
        .method_not_allowed_fallback(|| async { guard::not_allowed("GET") })
}
