//! A service's switches, a load generator's rate, and a Prometheus.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

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

/// Fields of a query.
type Fields = Query<BTreeMap<String, String>>;

/// What a fake remembers.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Active faults by name, with their parameters.
    pub(crate) faults: BTreeMap<String, BTreeMap<String, String>>,
    /// Whether the breaker is on.
    pub(crate) breaker_off: bool,
    /// What each query answers; others have no series.
    pub(crate) values: BTreeMap<String, f64>,
    /// Pending and firing alerts.
    pub(crate) alerts: Vec<Value>,
    /// Requests per second; at first 50.
    pub(crate) rps: Option<f64>,
}

/// A server on a free port; stops with the test's runtime.
#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    memory: Arc<Mutex<Memory>>,
}

impl Fake {
    pub(crate) async fn service() -> Self {
        let router = Router::new()
            .route("/faults", get(list).delete(end_all))
            .route("/faults/{name}", axum::routing::put(set).delete(end))
            .route("/protections", get(protections))
            .route("/protections/{name}", axum::routing::put(switch));
        Self::start(router).await
    }

    pub(crate) async fn load() -> Self {
        Self::start(Router::new().route("/rate", get(rate).put(change_rate))).await
    }

    pub(crate) async fn prometheus() -> Self {
        let router = Router::new()
            .route("/api/v1/query", get(query))
            .route("/api/v1/query_range", get(range))
            .route("/api/v1/alerts", get(alerts));
        Self::start(router).await
    }

    async fn start(router: Router<Self>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let fake = Self { address, memory: Arc::default() };
        let served = router.with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, served).await });
        fake
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn with<T>(&self, then: impl FnOnce(&mut Memory) -> T) -> T {
        then(&mut self.memory.lock())
    }

    pub(crate) fn active(&self) -> Vec<String> {
        self.with(|memory| memory.faults.keys().cloned().collect())
    }

    fn point(&self, name: &str) -> Value {
        let active = self.with(|memory| memory.faults.get(name).cloned()).map(|given| {
            let rate: f64 = given.get("rate").map_or(1.0, |rate| rate.parse().expect("checked"));
            json!({ "rate": rate, "parameters": given, "expires_at": "2126-11-29T07:00:00.000Z", "seconds_left": 300.0 })
        });
        let parameter = |name: &str, summary: &str, expects: &str, default: Option<&str>| json!({ "name": name, "summary": summary, "expects": expects, "default": default });
        json!({
            "name": name, "summary": format!("what {name} does"), "signals": "errors rise", "ends": "by itself", "active": active,
            "parameters": [
                parameter("rate", "share of the work", "a number from 0 to 1", Some("1")),
                parameter("ttl", "ends by itself", "a duration such as 5m", Some("10m")),
                parameter("route", "only this route", "a text", None),
            ],
        })
    }
}

const POINTS: [&str; 2] = ["http-error", "db-lock"];

async fn list(State(fake): State<Fake>) -> Json<Value> {
    Json(json!({ "faults": POINTS.map(|name| fake.point(name)) }))
}

async fn set(State(fake): State<Fake>, Path(name): Path<String>, Query(given): Fields) -> Response {
    let rate = given.get("rate").map_or(Ok(1.0), |rate| rate.parse::<f64>());
    if !rate.is_ok_and(|rate| (0.0..=1.0).contains(&rate)) {
        let problem = json!({ "title": "Bad request", "detail": "a parameter is wrong", "errors": { "rate": "a number from 0 to 1" } });
        return (StatusCode::UNPROCESSABLE_ENTITY, Json(problem)).into_response();
    }
    fake.with(|memory| memory.faults.insert(name.clone(), given));
    Json(fake.point(&name)).into_response()
}

async fn end(State(fake): State<Fake>, Path(name): Path<String>) -> StatusCode {
    fake.with(|memory| memory.faults.remove(&name));
    StatusCode::NO_CONTENT
}

async fn end_all(State(fake): State<Fake>) -> StatusCode {
    fake.with(|memory| memory.faults.clear());
    StatusCode::NO_CONTENT
}

fn breaker(fake: &Fake) -> Value {
    let off = fake.with(|memory| memory.breaker_off);
    json!({ "name": "circuit-breaker", "summary": "stops calling", "enabled": !off, "seconds_left": null })
}

async fn protections(State(fake): State<Fake>) -> Json<Value> {
    Json(json!({ "protections": [breaker(&fake)] }))
}

async fn switch(State(fake): State<Fake>, Path(_): Path<String>, Query(given): Fields) -> Json<Value> {
    let off = given.get("enabled").is_some_and(|enabled| enabled == "false");
    fake.with(|memory| memory.breaker_off = off);
    Json(breaker(&fake))
}

async fn rate(State(fake): State<Fake>) -> Json<Value> {
    Json(json!({ "rps": fake.with(|memory| memory.rps.unwrap_or(50.0)) }))
}

async fn change_rate(State(fake): State<Fake>, Query(given): Fields) -> Json<Value> {
    let rps = given.get("rps").and_then(|rps| rps.parse().ok());
    fake.with(|memory| memory.rps = rps);
    Json(json!({ "rps": rps }))
}

async fn query(State(fake): State<Fake>, Query(given): Fields) -> Json<Value> {
    let value = given.get("query").and_then(|query| fake.with(|memory| memory.values.get(query).copied()));
    let result: Vec<Value> =
        value.into_iter().map(|value| json!({ "metric": {}, "value": [0, value.to_string()] })).collect();
    Json(json!({ "status": "success", "data": { "resultType": "vector", "result": result } }))
}

async fn range() -> Json<Value> {
    Json(json!({ "status": "success", "data": { "resultType": "matrix", "result": [] } }))
}

async fn alerts(State(fake): State<Fake>) -> Json<Value> {
    let alerts = fake.with(|memory| memory.alerts.clone());
    Json(json!({ "status": "success", "data": { "alerts": alerts } }))
}
