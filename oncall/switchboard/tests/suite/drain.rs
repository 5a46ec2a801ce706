//! One replica out of the balancing of two edges. What the edge itself refuses is in its own tests; here it is an admin route
//! that knows which endpoint is drained.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use switchboard::{Instance, Outcome, Place};
use tokio::{net::TcpListener, sync::Mutex};

use crate::{
    restart::{Rig, instance},
    support::action,
};

/// What an edge has drained, if something, and how it was asked last.
#[derive(Default)]
struct Edge {
    drained: Option<String>,
    asked: BTreeMap<String, String>,
}

type Shared = Arc<Mutex<Edge>>;
type Asked = Query<BTreeMap<String, String>>;

fn drained(edge: &Edge) -> Json<Value> {
    let each: Vec<Value> = edge.drained.iter().map(|endpoint| json!({ "endpoint": endpoint })).collect();
    Json(json!({ "drained": each }))
}

async fn show(State(edge): State<Shared>) -> Json<Value> {
    let edge = edge.lock().await;
    drained(&edge)
}

async fn set(State(edge): State<Shared>, Query(asked): Asked) -> Response {
    let mut edge = edge.lock().await;
    let endpoint = asked["endpoint"].clone();
    if edge.drained.as_ref().is_some_and(|other| *other != endpoint) {
        return (StatusCode::BAD_REQUEST, "another replica is drained already").into_response();
    }
    if asked["dry_run"] == "false" {
        edge.drained = Some(endpoint);
    }
    edge.asked = asked;
    drained(&edge).into_response()
}

async fn clear(State(edge): State<Shared>, Query(asked): Asked) -> Json<Value> {
    let mut edge = edge.lock().await;
    let stays = |endpoint: &String| asked.get("endpoint").is_some_and(|wanted| wanted != endpoint);
    edge.drained = edge.drained.take().filter(stays);
    drained(&edge)
}

async fn edges() -> (Place, [Shared; 2]) {
    let shared: [Shared; 2] = Default::default();
    let mut instances = Vec::new();
    for (name, edge) in ["edge", "edge-2"].into_iter().zip(&shared) {
        let routes = get(show).put(set).delete(clear);
        let router = Router::new().route("/drained", routes).with_state(Arc::clone(edge));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let admin = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        instances.push(Instance { service: "edge".to_owned(), name: name.to_owned(), admin });
    }
    (Place::Here(instances), shared)
}

async fn rig() -> Rig {
    Rig::start(|folder| {
        vec![
            instance(folder, "order-api").port("order-api", 8001),
            instance(folder, "order-api-2").port("order-api-2", 8003),
        ]
    })
    .await
}

fn drain(target: &str) -> Value {
    json!({ "action": "drain", "target": target, "ttl": "10m" })
}

#[tokio::test]
async fn every_edge_drains_one_replica_for_a_time_and_puts_it_back() {
    let ((place, shared), rig) = (edges().await, rig().await);
    let act = async |what: Value, dry: bool| -> Vec<Outcome> {
        let action = action(what);
        let done = if dry {
            action.describe(&place, &rig.tools, None).await
        } else {
            action.run(&place, &rig.tools, None).await
        };
        done.unwrap()
    };
    let would = act(drain("order-api-2"), true).await;
    let text = "order-api-2 would get no new requests for 10m";
    assert!(would.iter().all(|one| one.ok && one.text == text) && would.len() == 2, "{would:?}");
    for edge in &shared {
        assert_eq!(edge.lock().await.drained, None, "a dry run drains nothing");
    }
    let done = act(drain("order-api-2"), false).await;
    assert!(done.iter().all(|one| one.ok) && done.len() == 2, "{done:?}");
    for edge in &shared {
        let edge = edge.lock().await;
        assert_eq!(edge.drained.as_deref(), Some("127.0.0.1:8003"), "where the edge sends its requests");
        assert_eq!(edge.asked["ttl"], "600s");
    }
    assert_eq!(rig.tools.replica_at("127.0.0.1:8003").as_deref(), Some("order-api-2"));
    assert_eq!(rig.tools.replica_at("127.0.0.1:8004"), None);
    // The first replica has its own name too: without a number, all are meant.
    let second = act(drain("order-api-1"), false).await;
    assert!(second.iter().all(|one| !one.ok && one.text.contains("drained already")), "{second:?}");

    let back = json!({ "action": "undrain", "target": "order-api-2" });
    for text in ["order-api-2 gets requests again", "order-api-2 is not drained: nothing to do"] {
        let done = act(back.clone(), false).await;
        assert!(done.iter().all(|one| one.ok && one.text == text), "{done:?}");
    }
    rig.end().await;
}

#[tokio::test]
async fn whatever_is_drained_is_put_back_even_where_nobody_knows_its_name() {
    let ((place, shared), rig) = (edges().await, rig().await);
    let act = async |dry: bool| -> Vec<String> {
        let action = action(json!({ "action": "undrain" }));
        let done = if dry {
            action.describe(&place, &rig.tools, None).await
        } else {
            action.run(&place, &rig.tools, None).await
        };
        let done = done.unwrap();
        assert!(done.iter().all(|one| one.ok), "{done:?}");
        done.into_iter().map(|one| one.text).collect()
    };
    for (edge, port) in shared.iter().zip([8003, 8004]) {
        edge.lock().await.drained = Some(format!("127.0.0.1:{port}"));
    }
    let would = ["order-api-2 would get requests again", "127.0.0.1:8004 would get requests again"];
    assert_eq!(act(true).await, would);
    assert!(shared[0].lock().await.drained.is_some(), "a dry run puts nothing back");
    assert_eq!(act(false).await, ["order-api-2 gets requests again", "127.0.0.1:8004 gets requests again"]);
    for edge in &shared {
        assert_eq!(edge.lock().await.drained, None);
    }
    assert_eq!(act(false).await, ["no replica is drained: nothing to do"; 2]);
    rig.end().await;
}

#[tokio::test]
async fn what_no_edge_balances_and_all_replicas_at_once_are_refused() {
    let ((place, shared), rig) = (edges().await, rig().await);
    for (target, said) in [
        ("order-api", "target: expected one replica: order-api, order-api-2; found `order-api`"),
        ("postgres", "no service is called `postgres`; there are: order-api, order-api-2"),
    ] {
        let refused = action(drain(target)).run(&place, &rig.tools, None).await.unwrap_err().to_string();
        assert_eq!(refused, said);
    }
    for edge in &shared {
        assert_eq!(edge.lock().await.drained, None);
    }
    rig.end().await;
}
