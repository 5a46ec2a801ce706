//! The admin ports of the services: readiness, faults and protections.

use std::sync::atomic::Ordering::SeqCst;

use axum::{
    Json, Router,
    extract::{Path, RawQuery, State},
    routing::{get, put},
};
use serde_json::{Value, json};

use super::Memory;

/// The protection that is off at the start, of order-api.
const BREAKER: &str = "circuit-breaker";
const FAULTS: [(&str, &str); 3] = [
    ("http-error", "Answers a share of the requests with 500."),
    ("http-latency", "Answers a share of the requests late."),
    ("db-lock", "Holds a lock on a table of the database."),
];

pub(super) fn routes() -> Router<Memory> {
    Router::new()
        .route("/admin/{service}/readyz", get(|| async { Json(json!({ "status": "ready" })) }))
        .route("/admin/{service}/faults", get(faults).delete(end_faults))
        .route("/admin/{service}/faults/{name}", put(set_fault).delete(end_fault))
        .route("/admin/{service}/protections", get(protections))
        .route("/admin/{service}/protections/{name}", put(protect))
}

async fn faults(State(memory): State<Memory>, Path(service): Path<String>) -> Json<Value> {
    let active = memory.0.faults.lock();
    let one = |(name, summary): &(&str, &str)| {
        let on = active.contains(&(service.clone(), (*name).to_owned()));
        let parameter = |name: &str, summary: &str, expects: &str, default: &str| json!({ "name": name, "summary": summary, "expects": expects, "default": default });
        let plan = json!({ "rate": 0.2, "parameters": {}, "expires_at": null, "seconds_left": null });
        json!({ "name": name, "summary": summary, "signals": "The error ratio rises.", "ends": "By itself after its time.",
            "parameters": [parameter("rate", "Share of the requests.", "a number from 0 to 1", "0.2"),
                           parameter("ttl", "How long it lasts.", "a duration such as 5m", "5m")],
            "active": on.then_some(plan) })
    };
    let all: Vec<Value> = FAULTS.iter().map(one).collect();
    Json(json!({ "faults": all }))
}

async fn set_fault(State(memory): State<Memory>, Path(switch): Path<(String, String)>) -> Json<Value> {
    memory.0.faults.lock().insert(switch);
    Json(json!({ "rate": 0.2, "parameters": {}, "expires_at": null, "seconds_left": null }))
}

async fn end_fault(State(memory): State<Memory>, Path(switch): Path<(String, String)>) -> Json<Value> {
    memory.0.faults.lock().remove(&switch);
    Json(json!({}))
}

async fn end_faults(State(memory): State<Memory>, Path(service): Path<String>) -> Json<Value> {
    memory.0.faults.lock().retain(|(of, _)| *of != service);
    Json(json!({}))
}

async fn protections(State(memory): State<Memory>, Path(service): Path<String>) -> Json<Value> {
    Json(
        json!({ "protections": [protection(&memory, &service, BREAKER), protection(&memory, &service, "retry-budget")] }),
    )
}

fn protection(memory: &Memory, service: &str, name: &str) -> Value {
    let enabled = service != "order-api" || name != BREAKER || memory.0.breaker.load(SeqCst);
    json!({ "name": name, "enabled": enabled, "summary": "Keeps a failure small.", "seconds_left": null })
}

async fn protect(
    State(memory): State<Memory>,
    Path((service, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Json<Value> {
    let enabled = query.is_some_and(|query| query.contains("enabled=true"));
    if service == "order-api" && name == BREAKER {
        memory.0.breaker.store(enabled, SeqCst);
    }
    Json(protection(&memory, &service, &name))
}
