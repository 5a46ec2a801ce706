//! The admin port: `/livez`, `/readyz`, `/metrics`, `/version`.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::metrics::TraceMetrics;

/// The routes. Ready whenever it runs, since the receivers' ports are bound before this one.
pub fn router(metrics: Arc<TraceMetrics>) -> Router {
    let version =
        || async { Json(serde_json::json!({ "name": "lab-traces", "version": env!("CARGO_PKG_VERSION") })) };
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(|| async { "ready\n" }))
        .route("/version", get(version))
        .route("/metrics", get(scrape))
        .with_state(metrics)
}

async fn scrape(State(metrics): State<Arc<TraceMetrics>>) -> Response {
    match metrics.render() {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
