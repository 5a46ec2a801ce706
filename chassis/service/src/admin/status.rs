//! Status for probes, Prometheus and people: alive, ready, metrics, version.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use serde_json::json;

use chassis_faults::FaultPoint;
use chassis_http::{Json, Problem, problems::NOT_READY};
use chassis_telemetry::Chassis;

/// Whether the process runs: fails only for what a restart would fix.
pub(super) async fn livez() -> &'static str {
    "ok\n"
}

/// Whether the process should get traffic.
pub(super) async fn readyz(State(chassis): State<Chassis>) -> Response {
    let failing = chassis.readiness.failing().await;
    if failing.is_empty() {
        return "ready\n".into_response();
    }
    let names: Vec<_> = failing.iter().map(|(name, _)| *name).collect();
    let detail = format!("Not ready: {}.", names.join(", "));
    let problem = Problem::new(&NOT_READY, detail);
    failing.into_iter().fold(problem, |problem, (name, reason)| problem.field(name, reason)).into_response()
}

/// All metrics, in the format that the scraper asks for; 503 where `gone` strikes.
pub(super) fn metrics(chassis: &Chassis, gone: Option<&FaultPoint>, headers: &HeaderMap) -> Response {
    if gone.is_some_and(|point| point.strike().is_some()) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let (kind, body) = chassis.metrics.render(accept);
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

/// Name, version and revision of this process.
pub(super) async fn version(State(chassis): State<Chassis>) -> Json<serde_json::Value> {
    let service = chassis.service;
    Json(json!({ "service": service.name, "version": service.version, "revision": service.revision() }))
}
