//! The firewalls of two edges: their admin routes, as far as actions use them. That a firewall does what these routes
//! say is in the tests of the edge.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    routing::get,
};
use serde_json::{Value, json};
use switchboard::{Instance, Outcome, Place, Tools};
use tokio::{net::TcpListener, sync::Mutex};

use crate::support::action;

/// What one edge has: modes of pushed rules, whether its firewall is on, its limit, and how often a rule was looked at.
#[derive(Default)]
struct Edge {
    rules: BTreeMap<String, String>,
    off: bool,
    limit: Option<BTreeMap<String, String>>,
    looks: u64,
    /// Whether a search of a rule has to be ended at each look.
    costly: bool,
    /// Whether it gets no requests.
    idle: bool,
    /// How often it refuses to take a rule back, busy as it is.
    busy: u64,
}

type Shared = Arc<Mutex<Edge>>;
type Asked = Query<BTreeMap<String, String>>;

impl Edge {
    fn rule(&self, id: &str) -> Value {
        let overruns = if self.costly { self.looks } else { 0 };
        let cpu = if self.idle { 0.0 } else { self.looks as f64 / 1000.0 };
        json!({
            "id": id, "title": "A rule", "mode": self.rules[id], "mode_of_file": "simulate", "pushed": true,
            "engine": "backtracking", "targets": ["body"], "cost": 20_000,
            "counts": { "blocked": 0, "simulated": 0, "overruns": overruns, "cpu_seconds": cpu },
        })
    }

    fn all(&self) -> Json<Value> {
        let rules: Vec<Value> = self.rules.keys().map(|id| self.rule(id)).collect();
        Json(json!({ "enabled": !self.off, "guarded": true, "problems": [], "rules": rules }))
    }
}

async fn list(State(edge): State<Shared>) -> Json<Value> {
    edge.lock().await.all()
}

async fn switch(State(edge): State<Shared>, Query(asked): Asked) -> Json<Value> {
    let mut edge = edge.lock().await;
    edge.off = asked["enabled"] == "false";
    edge.all()
}

async fn reset(State(edge): State<Shared>) -> Json<Value> {
    let mut edge = edge.lock().await;
    edge.off = false;
    edge.rules.clear();
    edge.all()
}

async fn show(State(edge): State<Shared>, Path(id): Path<String>) -> Json<Value> {
    let mut edge = edge.lock().await;
    edge.looks += 1;
    Json(edge.rule(&id))
}

async fn set(State(edge): State<Shared>, Path(id): Path<String>, Query(asked): Asked) -> Json<Value> {
    let mut edge = edge.lock().await;
    let mode = asked.get("mode").map_or("simulate", String::as_str);
    edge.rules.insert(id.clone(), mode.to_owned());
    Json(edge.rule(&id))
}

async fn withdraw(State(edge): State<Shared>, Path(id): Path<String>) -> Result<Json<Value>, StatusCode> {
    let mut edge = edge.lock().await;
    if edge.busy > 0 {
        edge.busy -= 1;
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    edge.rules.remove(&id).map(|_| edge.all()).ok_or(StatusCode::NOT_FOUND)
}

async fn limit(State(edge): State<Shared>, Query(asked): Asked) -> Json<Value> {
    edge.lock().await.limit = Some(asked);
    Json(json!({}))
}

async fn unlimit(State(edge): State<Shared>) -> Json<Value> {
    edge.lock().await.limit = None;
    Json(json!({}))
}

async fn edges() -> (Place, [Shared; 2]) {
    let shared: [Shared; 2] = Default::default();
    let mut instances = Vec::new();
    for (name, edge) in ["edge", "edge-2"].into_iter().zip(&shared) {
        let router = Router::new()
            .route("/waf", get(list).put(switch).delete(reset))
            .route("/waf/{id}", get(show).put(set).delete(withdraw))
            .route("/limit", get(list).put(limit).delete(unlimit))
            .with_state(Arc::clone(edge));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let admin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        instances.push(Instance { service: "edge".to_owned(), name: name.to_owned(), admin });
    }
    (Place::Here(instances), shared)
}

async fn run(place: &Place, what: Value) -> Vec<Outcome> {
    action(what).run(place, &Tools::default(), None).await.unwrap()
}

fn push(canary: Option<&str>) -> Value {
    json!({
        "action": "push_rule", "target": "edge", "rule": "inline-script", "file": "id: inline-script",
        "canary": canary,
    })
}

#[tokio::test]
async fn a_rule_reaches_every_edge_and_is_taken_back_everywhere() {
    let (place, shared) = edges().await;
    let dry = action(push(Some("10s"))).describe(&place, &Tools::default(), None).await.unwrap();
    assert!(dry.iter().all(|one| one.ok && one.text == "would get the rule inline-script"), "{dry:?}");
    let done = run(&place, push(None)).await;
    assert!(done.iter().all(|one| one.ok) && done.len() == 2, "{done:?}");
    let off = json!({ "action": "set_rule", "target": "edge-2", "rule": "inline-script", "mode": "off" });
    assert_eq!(run(&place, off).await[0].text, "the rule inline-script is off");
    assert_eq!(shared[0].lock().await.rules["inline-script"], "simulate");
    let back = json!({ "action": "restore_rule", "target": "edge", "rule": "inline-script" });
    for said in ["the firewall is on, 0 rules are in force", "has no rule inline-script"] {
        let done = run(&place, back.clone()).await;
        assert!(done.iter().all(|one| one.ok && one.text == said), "{said}: {done:?}");
    }
}

#[tokio::test]
async fn the_kill_switch_and_the_limit_are_those_of_every_edge() {
    let (place, shared) = edges().await;
    let kill = json!({ "action": "switch_firewall", "target": "edge", "enabled": false });
    run(&place, kill).await;
    run(&place, json!({ "action": "limit_clients", "target": "edge", "rps": 19.5 })).await;
    let wanted =
        BTreeMap::from([("rps", "19.5"), ("burst", "20")].map(|(k, v)| (k.to_owned(), v.to_owned())));
    for edge in &shared {
        let edge = edge.lock().await;
        assert_eq!((edge.off, edge.limit.as_ref()), (true, Some(&wanted)));
    }
    run(&place, json!({ "action": "restore_rule", "target": "edge" })).await;
    run(&place, json!({ "action": "limit_clients", "target": "edge" })).await;
    for edge in &shared {
        let edge = edge.lock().await;
        assert_eq!((edge.off, edge.limit.as_ref()), (false, None));
    }
}

#[tokio::test]
async fn a_rule_that_costs_too_much_in_the_first_edge_never_reaches_the_second() {
    let (place, shared) = edges().await;
    {
        let mut first = shared[0].lock().await;
        (first.costly, first.busy) = (true, 1);
    }
    let done = run(&place, push(Some("5s"))).await;
    let said: Vec<(bool, &str)> = done.iter().map(|one| (one.ok, one.text.as_str())).collect();
    let stopped = "the rule inline-script costs too much, and was taken back: 1 of its searches had to be ended at their \
                   cost";
    assert_eq!(said, [(false, stopped), (false, "was spared: edge was first")]);
    assert_eq!(done.iter().map(Outcome::is_too_costly).collect::<Vec<_>>(), [true, false]);
    for edge in &shared {
        assert!(edge.lock().await.rules.is_empty());
    }
    shared[0].lock().await.costly = false;
    let done = run(&place, push(Some("1s"))).await;
    assert!(done.iter().all(|one| one.ok) && done.len() == 2, "{done:?}");
    assert!(shared[1].lock().await.rules.contains_key("inline-script"));
}

#[tokio::test]
async fn a_rule_that_no_request_was_checked_against_has_shown_nothing() {
    let (place, shared) = edges().await;
    shared[0].lock().await.idle = true;
    let done = run(&place, push(Some("1s"))).await;
    let why = "the rule inline-script was taken back: no request was checked against it in 1s";
    assert_eq!((done[0].ok, done[0].text.as_str(), done[0].is_too_costly()), (false, why, false));
    for edge in &shared {
        assert!(edge.lock().await.rules.is_empty());
    }
}
