//! The admin port of every program.
//!
//! * `GET /livez` -- 200 while the process runs.
//! * `GET /readyz` -- 200, or 503 naming each dependency that is not ready.
//! * `GET /metrics` -- Prometheus text, or OpenMetrics with exemplars on request.
//! * `GET|PUT|DELETE /faults[/{name}]` -- the fault switch.
//! * `GET|PUT|DELETE /protections[/{name}]` -- the protection switches.
//! * `GET /version` -- name, version, revision.
//! * What the program adds.

mod faults;
mod guard;
mod protections;
mod status;

use std::sync::Arc;

use axum::{Router, extract::State, routing::get};
use http::HeaderMap;

use chassis_faults::FaultsConfig;
use chassis_http::Problem;
use chassis_telemetry::{Chassis, catalogue::METRICS_GONE};

/// What every program has here, switches aside.
const PATHS: &[&str] = &["/livez", "/readyz", "/metrics", "/version"];

/// The routes of every program, and `own`. A request for another path gets the list of paths, if `paths` lists those of `own`.
pub(crate) fn router(chassis: &Chassis, config: &FaultsConfig, own: Router, paths: &[&str]) -> Router {
    let there = (!paths.is_empty()).then(|| Arc::<str>::from([PATHS, paths].concat().join(", ")));
    let gone = chassis.faults.find(&METRICS_GONE);
    let metrics = |State(chassis): State<Chassis>, headers: HeaderMap| async move {
        status::metrics(&chassis, gone.as_ref(), &headers)
    };
    Router::new()
        .route("/livez", get(status::livez))
        .route("/readyz", get(status::readyz))
        .route("/metrics", get(metrics))
        .route("/version", get(status::version))
        .with_state(chassis.clone())
        .merge(faults::router(chassis, config))
        .merge(protections::router(chassis, config))
        .fallback(move || std::future::ready(no_route(there.as_deref())))
        .method_not_allowed_fallback(|| async { guard::not_allowed("GET") })
        .merge(own)
}

fn no_route(there: Option<&str>) -> Problem {
    let problem = guard::not_found("There is no such route.");
    match there {
        Some(there) => problem.field("path", format!("one of {there}")),
        None => problem,
    }
}
