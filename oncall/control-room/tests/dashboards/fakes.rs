//! A Prometheus that has a value for every query, and a trace store with one trace.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;

type Fields = Query<BTreeMap<String, String>>;

/// The one trace.
pub(crate) const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// What a fake remembers, and how it behaves.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Queries that were asked.
    pub(crate) asked: Vec<String>,
    /// Queries with this text are never answered.
    pub(crate) hangs: Option<String>,
    /// Queries with this text are refused.
    pub(crate) refuses: Option<String>,
    /// How long each query takes.
    pub(crate) slow: Option<Duration>,
    /// Queries that are being answered, and the most that there were at once.
    pub(crate) answering: (usize, usize),
}

/// A server on a free port; stops with the test's runtime.
#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) url: String,
    memory: Arc<Mutex<Memory>>,
}

impl Fake {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let fake = Self { url, memory: Arc::default() };
        let router = Router::new()
            .route("/api/v1/query", get(instant))
            .route("/api/v1/query_range", get(range))
            .route("/api/v1/query_exemplars", get(exemplars))
            .route("/api/v1/label/{label}/values", get(values))
            .route("/api/v1/alerts", get(alerts))
            .route("/api/dependencies", get(calls))
            .route("/api/traces", get(traces))
            .route("/api/traces/{id}", get(trace))
            .with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake
    }

    pub(crate) fn with<T>(&self, then: impl FnOnce(&mut Memory) -> T) -> T {
        then(&mut self.memory.lock())
    }

    /// Remembers the query; hangs or refuses as it was told to.
    async fn take(&self, given: &BTreeMap<String, String>) -> Result<(), Response> {
        let query = given.get("query").cloned().unwrap_or_default();
        let is = |wanted: &Option<String>| wanted.as_ref().is_some_and(|text| query.contains(text.as_str()));
        let (hangs, refuses) = self.with(|memory| {
            memory.asked.push(query.clone());
            (is(&memory.hangs), is(&memory.refuses))
        });
        self.work().await;
        if hangs {
            std::future::pending::<()>().await;
        }
        if refuses {
            let said =
                json!({ "status": "error", "errorType": "bad_data", "error": "parse error: no such thing" });
            return Err((StatusCode::BAD_REQUEST, Json(said)).into_response());
        }
        Ok(())
    }

    /// Takes as long as it was told to.
    async fn work(&self) {
        let Some(slow) = self.with(|memory| memory.slow) else { return };
        self.with(|memory| {
            let (now, most) = memory.answering;
            memory.answering = (now + 1, most.max(now + 1));
        });
        // Slowness is the subject.
        tokio::time::sleep(slow).await;
        self.with(|memory| memory.answering.0 -= 1);
    }
}

/// Labels for every legend.
fn labels() -> Value {
    json!({
        "service": "order-api", "job": "order-api", "instance": "127.0.0.1:9101", "slo": "order-availability", "le": "0.1",
        "alertname": "HighErrorRate", "alertstate": "firing", "severity": "page", "peer": "user-service",
    })
}

fn success(kind: &str, result: &Value) -> Response {
    Json(json!({ "status": "success", "data": { "resultType": kind, "result": result } })).into_response()
}

async fn instant(State(fake): State<Fake>, Query(given): Fields) -> Response {
    if let Err(refused) = fake.take(&given).await {
        return refused;
    }
    success("vector", &json!([{ "metric": labels(), "value": [1.0, "0.5"] }]))
}

async fn range(State(fake): State<Fake>, Query(given): Fields) -> Response {
    if let Err(refused) = fake.take(&given).await {
        return refused;
    }
    let number = |name: &str| given.get(name).and_then(|text| text.parse::<f64>().ok());
    let (Some(start), Some(end), Some(step)) = (number("start"), number("end"), number("step")) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut values = Vec::new();
    let mut at = start;
    while at <= end {
        values.push(json!([at, "0.5"]));
        at += step;
    }
    success("matrix", &json!([{ "metric": labels(), "values": values }]))
}

async fn exemplars(Query(given): Fields) -> Json<Value> {
    let start = given.get("start").and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
    let one = json!({ "labels": { "trace_id": TRACE }, "value": "0.4", "timestamp": start + 60.0 });
    Json(json!({ "status": "success", "data": [{ "seriesLabels": {}, "exemplars": [one] }] }))
}

async fn values(Path(label): Path<String>) -> Json<Value> {
    Json(json!({ "status": "success", "data": [format!("{label}-b"), format!("{label}-a")] }))
}

async fn alerts() -> Json<Value> {
    Json(json!({ "status": "success", "data": { "alerts": [] } }))
}

async fn calls() -> Json<Value> {
    Json(json!({ "data": [{ "parent": "order-api", "child": "user-service", "callCount": 7 }] }))
}

fn one_trace() -> Value {
    let span = |id: &str, parent: &[&str], name: &str, start: u64, length: u64, tags: &Value| {
        let references: Vec<Value> = parent
            .iter()
            .map(|id| json!({ "refType": "CHILD_OF", "traceID": TRACE, "spanID": id }))
            .collect();
        json!({ "spanID": id, "operationName": name, "references": references, "startTime": start, "duration": length,
                "tags": tags, "processID": id })
    };
    let start = 1_795_935_600_000_000_u64;
    json!({
        "traceID": TRACE,
        "spans": [
            span("a", &[], "POST /orders", start, 300_000, &json!([{ "key": "http.route", "value": "/orders" }])),
            span("b", &["a"], "GET /users", start + 50_000, 100_000, &json!([{ "key": "error", "value": true }])),
        ],
        "processes": { "a": { "serviceName": "order-api" }, "b": { "serviceName": "user-service" } },
    })
}

async fn traces() -> Json<Value> {
    Json(json!({ "data": [one_trace()] }))
}

async fn trace(Path(id): Path<String>) -> Response {
    if id == TRACE {
        return Json(json!({ "data": [one_trace()] })).into_response();
    }
    Json(json!({ "data": [] })).into_response()
}
