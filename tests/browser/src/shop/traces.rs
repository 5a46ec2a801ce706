//! Jaeger's query API: one order that was accepted, and one that failed.

use axum::{
    Json, Router,
    extract::{Path, RawQuery},
    routing::get,
};
use chrono::Utc;
use serde_json::{Value, json};

use super::{Memory, fields};
use crate::promql::SERVICES;

/// The id of the trace that failed.
pub(crate) const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const OTHER: &str = "0af7651916cd43dd8448eb211c80319c";

pub(super) fn routes() -> Router<Memory> {
    Router::new()
        .route("/api/services", get(|| async { Json(json!({ "data": SERVICES })) }))
        .route(
            "/api/services/{service}/operations",
            get(|| async { Json(json!({ "data": ["POST /orders", "GET /users/{id}"] })) }),
        )
        .route("/api/operations", get(|| async { Json(json!({ "data": [] })) }))
        .route("/api/dependencies", get(dependencies))
        .route("/api/traces", get(search))
        .route("/api/traces/{id}", get(one))
}

async fn dependencies() -> Json<Value> {
    let call = |parent: &str, child: &str| json!({ "parent": parent, "child": child, "callCount": 1200 });
    Json(json!({ "data": [call("order-api", "user-service"), call("order-api", "order-worker")] }))
}

async fn search(RawQuery(query): RawQuery) -> Json<Value> {
    let asked = fields(&query.unwrap_or_default());
    let only_failed = asked.iter().any(|(name, value)| name == "tags" && value.contains("error"));
    let all = if only_failed { vec![trace(ID)] } else { vec![trace(ID), trace(OTHER)] };
    Json(json!({ "data": all }))
}

async fn one(Path(id): Path<String>) -> Json<Value> {
    Json(json!({ "data": [trace(&id)] }))
}

/// An order of twelve seconds ago, in microseconds.
fn trace(id: &str) -> Value {
    let (start, failed) = (Utc::now().timestamp_micros() - 12_000_000, id == ID);
    let span = |name: &str,
                operation: &str,
                parent: Option<&str>,
                after: i64,
                length: i64,
                process: &str,
                error: bool| {
        let references: Vec<Value> = parent
            .iter()
            .map(|parent| json!({ "refType": "CHILD_OF", "traceID": id, "spanID": parent }))
            .collect();
        json!({ "traceID": id, "spanID": name, "operationName": operation, "references": references, "startTime": start + after,
            "duration": length, "processID": process, "logs": [], "warnings": null,
            "tags": [{ "key": "error", "type": "bool", "value": error }, { "key": "http.response.status_code", "type": "int64",
                       "value": if error { 503 } else { 200 } }] })
    };
    let process = |service: &str| json!({ "serviceName": service, "tags": [] });
    json!({ "traceID": id, "warnings": null,
        "processes": { "p1": process("order-api"), "p2": process("user-service"), "p3": process("order-worker") },
        "spans": [
            span("00f067aa0ba902b7", "POST /orders", None, 0, 212_000, "p1", failed),
            span("00f067aa0ba902b8", "GET /users/{id}", Some("00f067aa0ba902b7"), 4_000, 180_000, "p1", failed),
            span("00f067aa0ba902b9", "GET /users/{id}", Some("00f067aa0ba902b8"), 6_000, 175_000, "p2", failed),
            span("00f067aa0ba902ba", "SELECT users", Some("00f067aa0ba902b9"), 9_000, 168_000, "p2", failed),
            span("00f067aa0ba902bb", "orders process", Some("00f067aa0ba902b7"), 215_000, 31_000, "p3", false),
        ] })
}
