//! Everything that a control room watches, as one HTTP server: Prometheus, Alertmanager, Loki, Jaeger, and the admin ports of the
//! services. It answers at once and always, so that a page has all of its data and a test waits for nobody.

mod admin;
pub(crate) mod canary;
mod logs;
mod metrics;
mod traces;

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::StatusCode,
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use serde_json::{Map, Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::promql::World;

/// The alert that fires while orders fail, as `dashboards/rules` has it.
const ALERT: &str = "OrderAvailabilityBudgetBurn";

/// The server. Dropping it ends it.
pub struct Shop {
    address: SocketAddr,
    memory: Memory,
    task: JoinHandle<()>,
}

/// What it remembers. Cheap to clone.
#[derive(Clone)]
struct Memory(Arc<Remembered>);

struct Remembered {
    started: DateTime<Utc>,
    /// Since when orders fail.
    failing: Mutex<Option<DateTime<Utc>>>,
    /// Whether the circuit breaker of order-api is on.
    breaker: AtomicBool,
    /// Active faults, by service and name.
    faults: Mutex<BTreeSet<(String, String)>>,
    /// How Prometheus answers.
    prometheus: Mutex<Mood>,
}

/// How something answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// At once.
    Well,
    /// With an error.
    Unavailable,
    /// Never.
    Silent,
}

impl Shop {
    /// Starts it: nothing fails, and the circuit breaker of order-api is off.
    pub async fn start() -> Self {
        let memory = Memory(Arc::new(Remembered {
            started: Utc::now() - TimeDelta::hours(1),
            failing: Mutex::default(),
            breaker: AtomicBool::new(false),
            faults: Mutex::default(),
            prometheus: Mutex::new(Mood::Well),
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let prometheus = metrics::routes()
            .route("/api/v1/alerts", get(alerts))
            .layer(from_fn_with_state(memory.clone(), in_mood));
        let router = Router::new()
            .merge(prometheus)
            .merge(logs::routes())
            .merge(traces::routes())
            .merge(admin::routes())
            .route("/api/v2/alerts", get(told))
            .route("/api/v2/silences", get(|| async { Json(json!([])) }))
            .route("/rate", get(rate).put(rate))
            .route("/sink", post(|| async {}))
            .with_state(memory.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, memory, task }
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Orders begin to fail; the message that Alertmanager would send.
    #[must_use]
    pub fn break_down(&self) -> Value {
        let since = Utc::now() - TimeDelta::seconds(20);
        *self.memory.0.failing.lock() = Some(since);
        webhook(&json!({ "status": "firing", "labels": labels(), "annotations": annotations(),
            "startsAt": since, "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "b1e55ed000000001" }))
    }

    /// From now on Prometheus answers in this way.
    pub fn prometheus_answers(&self, mood: Mood) {
        *self.memory.0.prometheus.lock() = mood;
    }

    /// Whether the circuit breaker of order-api is on.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        self.memory.0.breaker.load(SeqCst)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Memory {
    /// What the numbers depend on.
    fn world(&self) -> World {
        World { started: seconds(self.0.started), failing: self.0.failing.lock().is_some() }
    }
}

/// Seconds since 1970.
fn seconds(at: DateTime<Utc>) -> f64 {
    at.timestamp_millis() as f64 / 1000.0
}

/// A webhook of Alertmanager about one alert.
pub(crate) fn webhook(alert: &Value) -> Value {
    json!({ "version": "4", "groupKey": "{}", "truncatedAlerts": 0, "status": alert["status"], "receiver": "control-room",
            "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "", "alerts": [alert] })
}

fn labels() -> Value {
    json!({ "alertname": ALERT, "severity": "page", "service": "order-api", "slo": "order-availability" })
}

fn annotations() -> Value {
    json!({ "summary": "Orders fail: the error budget of 28 days burns 14 times too fast",
            "description": "8 % of the orders of the last minutes were answered with an error.",
            "runbook_url": format!("/runbooks/{ALERT}"), "dashboard_url": "/d/order-api" })
}

/// Answers as Prometheus is.
async fn in_mood(State(memory): State<Memory>, request: Request, next: Next) -> Response {
    let mood = *memory.0.prometheus.lock();
    match mood {
        Mood::Well => next.run(request).await,
        Mood::Unavailable => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Mood::Silent => std::future::pending().await,
    }
}

/// Pending and firing alerts, as Prometheus lists them.
async fn alerts(State(memory): State<Memory>) -> Json<Value> {
    let firing = memory.0.failing.lock().map(|since| {
        json!({ "labels": labels(), "annotations": annotations(), "state": "firing", "activeAt": since, "value": "8e-02" })
    });
    let all: Vec<Value> = firing.into_iter().collect();
    Json(json!({ "status": "success", "data": { "alerts": all } }))
}

/// Alerts, as Alertmanager lists them.
async fn told(State(memory): State<Memory>) -> Json<Value> {
    let firing = memory.0.failing.lock().map(|since| {
        json!({ "labels": labels(), "annotations": annotations(), "startsAt": since, "updatedAt": since, "endsAt": since,
                "fingerprint": "b1e55ed000000001", "receivers": [], "generatorURL": "",
                "status": { "state": "active", "silencedBy": [], "inhibitedBy": [] } })
    });
    Json(firing.into_iter().collect())
}

/// The fields of a query string or a form, in order.
fn fields(text: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// Labels as JSON.
fn object(labels: &crate::promql::Labels) -> Map<String, Value> {
    labels.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
}

/// The load generator's admin port.
async fn rate() -> Json<Value> {
    Json(json!({ "rps": 50.0 }))
}
