//! `/faults`: the fault switch.
//!
//! * `GET /faults` -- every point, its parameters and its plan.
//! * `GET|PUT|DELETE /faults/{name}` -- one point; PUT takes its plan as the query string.
//! * `DELETE /faults` -- ends every plan that was set; baselines stay.
//!
//! A change leaves no trace in logs, spans or metrics: trainees read those.

use axum::{
    Json, Router,
    extract::{RawQuery, State},
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::get,
};
use http::StatusCode;
use serde_json::json;

use std::sync::Arc;

use super::guard::{guard, not_allowed, not_found};
use chassis_faults::FaultError;
use chassis_faults::FaultsConfig;
use chassis_http::{Path, Problem};
use chassis_telemetry::Chassis;

/// The routes under `/faults`.
pub(super) fn router(chassis: &Chassis, config: &FaultsConfig) -> Router {
    Router::new()
        .route("/faults", get(list).delete(reset).fallback(|| async { not_allowed("GET, DELETE") }))
        .route(
            "/faults/{name}",
            get(show).put(set).delete(clear).fallback(|| async { not_allowed("GET, PUT, DELETE") }),
        )
        .route_layer(from_fn_with_state(Arc::new(config.clone()), guard))
        .with_state(chassis.clone())
}

async fn list(State(chassis): State<Chassis>) -> Response {
    Json(json!({ "faults": chassis.faults.report() })).into_response()
}

async fn show(State(chassis): State<Chassis>, Path(name): Path<String>) -> Result<Response, Problem> {
    let report = chassis.faults.report_one(&name).map_err(problem)?;
    Ok(Json(report).into_response())
}

async fn set(
    State(chassis): State<Chassis>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    chassis.faults.set(&name, query.as_deref().unwrap_or_default()).map_err(problem)?;
    show(State(chassis), Path(name)).await
}

async fn clear(State(chassis): State<Chassis>, Path(name): Path<String>) -> Result<Response, Problem> {
    chassis.faults.clear(&name).map_err(problem)?;
    show(State(chassis), Path(name)).await
}

async fn reset(State(chassis): State<Chassis>) -> StatusCode {
    chassis.faults.clear_all();
    StatusCode::NO_CONTENT
}

fn problem(error: FaultError) -> Problem {
    match error {
        FaultError::UnknownFault { .. } => not_found(error.to_string()),
        FaultError::UnknownParam { ref param, .. } => Problem::invalid(param.clone(), error.to_string()),
        FaultError::BadValue { param, problem } => Problem::invalid(param, problem),
    }
}
