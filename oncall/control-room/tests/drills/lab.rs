//! One server that is Prometheus, Alertmanager, the admin port of a service, that of the load generator, and perhaps
//! that of an edge.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use axum::{
    Json, Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode};
use parking_lot::{Mutex, MutexGuard};
use serde_json::{Value, json};
use testkit::eventually;
use tokio::net::TcpListener;

/// Longest wait for anything.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// The protections of the service: one that the drill weakens, and one that it does not know.
const PROTECTIONS: [&str; 2] = ["retry-budget", "timeout"];

/// What the server remembers.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Active faults with their parameters.
    pub(crate) faults: BTreeMap<String, BTreeMap<String, String>>,
    /// Protections that are off.
    pub(crate) off: BTreeSet<String>,
    /// Requests per second.
    pub(crate) rate: f64,
    /// Replicas that the edge sends no requests to.
    pub(crate) drained: BTreeSet<String>,
    /// Refuses to end faults, and to put drained replicas back.
    pub(crate) stubborn: bool,
}

/// The server. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Lab {
    pub(crate) url: String,
    /// Whether it is an edge, too.
    pub(crate) edge: bool,
    memory: Arc<Mutex<Memory>>,
}

impl Lab {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let lab = Self { url, edge: false, memory: Arc::default() };
        lab.memory().rate = 20.0;
        let router = Router::new().fallback(answer).with_state(lab.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        lab
    }

    /// The same with an edge.
    pub(crate) async fn with_edge() -> Self {
        Self { edge: true, ..Self::start().await }
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock()
    }

    /// Waits until something is broken, or nothing is.
    pub(crate) async fn until_broken(&self, broken: bool) {
        eventually(SOON, || async {
            let is = !self.memory().faults.is_empty();
            if is == broken { Ok(()) } else { Err(format!("{:?}", self.memory())) }
        })
        .await;
    }

    /// Everything is as it was before the drill.
    pub(crate) fn assert_clean(&self) {
        let memory = self.memory();
        assert!(memory.faults.is_empty() && memory.off.is_empty() && memory.drained.is_empty(), "{memory:?}");
        assert!((memory.rate - 50.0).abs() < 0.1, "{memory:?}");
    }

    fn point(&self) -> Value {
        let active = self.memory().faults.get("zz-fault").cloned().map(|given| {
            let rate = given.get("rate").and_then(|rate| rate.parse::<f64>().ok()).unwrap_or(1.0);
            json!({ "rate": rate, "parameters": given, "expires_at": null, "seconds_left": 60.0 })
        });
        let parameter = |name: &str| json!({ "name": name, "summary": "", "expects": "", "default": null });
        let parameters = ["rate", "ttl", "seed"].map(parameter);
        json!({ "name": "zz-fault", "summary": "", "parameters": parameters, "active": active })
    }

    /// What the edge has drained, after it has put all of it back if somebody wants that.
    fn drained(&self, back: bool) -> Value {
        let mut memory = self.memory();
        if back {
            memory.drained.clear();
        }
        let all = memory.drained.iter().map(|endpoint| json!({ "endpoint": endpoint }));
        let all: Vec<Value> = all.collect();
        json!({ "drained": all })
    }

    fn protection(&self, name: &str) -> Value {
        let on = !self.memory().off.contains(name);
        json!({ "name": name, "enabled": on, "summary": "", "seconds_left": null })
    }

    fn query(&self, query: &str, past: bool) -> Vec<Value> {
        let (broken, rate) = {
            let memory = self.memory();
            (!memory.faults.is_empty(), memory.rate)
        };
        let sample = |value: f64| json!({ "metric": { "slo": "quick" }, "value": [1.0, value.to_string()] });
        let value = if query.contains("load_requests_total") {
            Some(rate)
        } else if query.contains("bad_things") {
            broken.then_some(0.5)
        } else if query.contains("good_things") {
            (!broken).then_some(1.0)
        } else if query.contains("error_budget_remaining") {
            Some(if past { 1.0 } else { 0.75 })
        } else {
            None
        };
        value.map(sample).into_iter().collect()
    }
}

async fn answer(State(lab): State<Lab>, request: Request) -> Response {
    let pairs = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
    let asked: BTreeMap<String, String> = pairs.into_owned().collect();
    let get = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    match (method, path.as_str()) {
        (Method::GET, "/readyz" | "/api/v2/status") => Json(json!({})).into_response(),
        (Method::GET, "/faults") => Json(json!({ "faults": [lab.point()] })).into_response(),
        (Method::PUT, "/faults/zz-fault") => {
            lab.memory().faults.insert("zz-fault".to_owned(), asked.clone());
            Json(lab.point()).into_response()
        }
        (Method::DELETE, "/faults/zz-fault" | "/faults" | "/drained") if lab.memory().stubborn => {
            let problem = json!({ "detail": "not now" });
            (StatusCode::SERVICE_UNAVAILABLE, Json(problem)).into_response()
        }
        (Method::DELETE, "/faults/zz-fault" | "/faults") => {
            lab.memory().faults.clear();
            StatusCode::NO_CONTENT.into_response()
        }
        (method, "/drained") => Json(lab.drained(method == Method::DELETE)).into_response(),
        // The firewall of the edge, and its limit.
        (_, "/waf" | "/limit") => {
            Json(json!({ "enabled": true, "guarded": true, "problems": [], "rules": [] })).into_response()
        }
        (Method::GET, "/protections") => {
            let all = PROTECTIONS.map(|name| lab.protection(name));
            Json(json!({ "protections": all })).into_response()
        }
        (Method::PUT, path) if path.starts_with("/protections/") => {
            let name = path.trim_start_matches("/protections/");
            {
                let mut memory = lab.memory();
                if get("enabled") == "false" {
                    memory.off.insert(name.to_owned());
                } else {
                    memory.off.remove(name);
                }
            }
            Json(lab.protection(name)).into_response()
        }
        (Method::PUT, "/rate") => {
            let rps: f64 = get("rps").parse().expect("a number");
            lab.memory().rate = rps;
            Json(json!({ "rps": rps })).into_response()
        }
        (Method::GET, "/rate") => Json(json!({ "rps": lab.memory().rate })).into_response(),
        (_, "/api/v1/query") => {
            let found = lab.query(get("query"), asked.contains_key("time"));
            Json(json!({ "status": "success", "data": { "resultType": "vector", "result": found } }))
                .into_response()
        }
        (_, "/api/v1/query_range") => Json(json!({ "data": { "result": [] } })).into_response(),
        (_, "/api/v1/alerts") => Json(json!({ "data": { "alerts": [] } })).into_response(),
        (Method::GET, "/api/v2/silences" | "/api/v2/alerts") => Json(json!([])).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
