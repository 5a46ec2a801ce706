//! One server that is Prometheus, Alertmanager, the trace store and an admin port: it answers what a test has set.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Json, Router,
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use serde_json::{Value, json};

#[derive(Default)]
struct Answers {
    set: BTreeMap<String, Option<Value>>,
    asked: BTreeMap<String, usize>,
    /// What was posted to a path, JSON.
    posted: BTreeMap<String, Vec<Value>>,
    hangs: bool,
}

/// The server.
#[derive(Clone)]
pub(crate) struct Fake {
    /// Its base URL.
    pub(crate) url: String,
    answers: Arc<Mutex<Answers>>,
}

impl Fake {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let fake = Self { url, answers: Arc::default() };
        let router = Router::new().fallback(answer).with_state(fake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        fake
    }

    /// What it answers: to a path, or to `query:` and `range:` with a part of the PromQL.
    pub(crate) fn set(&self, what: &str, answer: Value) {
        self.answers().set.insert(what.to_owned(), Some(answer));
    }

    /// Answers with an error from now on.
    pub(crate) fn fail(&self, what: &str) {
        self.answers().set.insert(what.to_owned(), None);
    }

    /// Never answers from now on.
    pub(crate) fn hang(&self) {
        self.answers().hangs = true;
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.answers().asked.get(path).copied().unwrap_or_default()
    }

    /// What was posted to a path, oldest first.
    pub(crate) fn posted(&self, path: &str) -> Vec<Value> {
        self.answers().posted.get(path).cloned().unwrap_or_default()
    }

    fn answers(&self) -> std::sync::MutexGuard<'_, Answers> {
        self.answers.lock().expect("no panic")
    }

    /// The answer to a request; none if it hangs.
    fn answer(&self, path: &str, query: &str) -> Option<Response> {
        let mut answers = self.answers();
        *answers.asked.entry(path.to_owned()).or_default() += 1;
        if answers.hangs {
            return None;
        }
        let kind = match path {
            "/api/v1/query" => "query:",
            "/api/v1/query_range" => "range:",
            _ => "",
        };
        let fits = |what: &str| match what.strip_prefix(kind) {
            Some(part) if !kind.is_empty() => query.contains(part),
            _ => what == path,
        };
        let set = answers.set.iter().find(|(what, _)| fits(what)).map(|(_, answer)| answer.clone());
        Some(match set {
            Some(Some(answer)) => Json(answer).into_response(),
            Some(None) => (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({ "error": "broken on purpose" })))
                .into_response(),
            None => usual(path),
        })
    }
}

/// What nobody has set.
fn usual(path: &str) -> Response {
    match path {
        "/readyz" => "ready\n".into_response(),
        "/api/v1/query" | "/api/v1/query_range" => Json(samples(&[])).into_response(),
        "/api/v1/alerts" => Json(json!({ "data": { "alerts": [] } })).into_response(),
        "/api/v2/silences" => Json(json!([])).into_response(),
        "/api/traces" => Json(json!({ "data": [] })).into_response(),
        "/faults" => Json(json!({ "faults": [] })).into_response(),
        "/protections" => Json(json!({ "protections": [] })).into_response(),
        _ => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "detail": "not ready on purpose" })))
            .into_response(),
    }
}

async fn answer(State(fake): State<Fake>, request: Request) -> Response {
    let pairs = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
    let query: String =
        pairs.filter(|(name, _)| name == "query").map(|(_, value)| value.into_owned()).collect();
    let path = request.uri().path().to_owned();
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap_or_default();
    if let Ok(body) = serde_json::from_slice(&body) {
        fake.answers().posted.entry(path.clone()).or_default().push(body);
    }
    match fake.answer(&path, &query) {
        Some(answer) => answer,
        None => std::future::pending().await,
    }
}

/// An instant vector, as Prometheus writes it.
pub(crate) fn samples(all: &[(Value, f64)]) -> Value {
    let one = |(metric, value): &(Value, f64)| json!({ "metric": metric, "value": [1.0, value.to_string()] });
    json!({ "data": { "result": all.iter().map(one).collect::<Vec<_>>() } })
}

/// One series over time, as Prometheus writes it.
pub(crate) fn series(metric: &Value, points: &[(f64, f64)]) -> Value {
    let points: Vec<Value> = points.iter().map(|(at, value)| json!([at, value.to_string()])).collect();
    json!({ "data": { "result": [{ "metric": metric, "values": points }] } })
}
