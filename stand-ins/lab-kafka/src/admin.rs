//! What the broker has on its admin port beside what every program has: the outages that the mock cluster can make.
//!
//! * `GET /brokers`, `PUT /brokers/{id}?up=true|false` -- a broker that is down cuts and refuses connections.
//! * `PUT /rtt?ms=50` -- delays every response, 0 to 60000; 0 ends it.

use std::time::Duration;

use axum::{
    Router,
    extract::State,
    routing::{get, put},
};
use chassis_http::{Json, Path, Problem, Query, problems::NOT_FOUND};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cluster::Cluster;

/// Longest round trip, in milliseconds.
const LONGEST_RTT: u64 = 60_000;

/// The paths of [`router`].
pub const PATHS: &[&str] = &["/brokers", "/brokers/{id}", "/rtt"];

/// The routes.
pub fn router(cluster: Cluster) -> Router {
    Router::new()
        .route("/brokers", get(brokers))
        .route("/brokers/{id}", put(set_broker))
        .route("/rtt", put(set_rtt))
        .with_state(cluster)
}

async fn brokers(State(cluster): State<Cluster>) -> Json<Value> {
    let brokers: Vec<_> =
        cluster.up().iter().enumerate().map(|(index, up)| json!({"id": index + 1, "up": up})).collect();
    Json(json!({ "brokers": brokers }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetBroker {
    up: bool,
}

async fn set_broker(
    State(cluster): State<Cluster>,
    Path(id): Path<String>,
    Query(SetBroker { up }): Query<SetBroker>,
) -> Result<Json<Value>, Problem> {
    match id.parse() {
        Ok(number) if cluster.set_up(number, up) => Ok(brokers(State(cluster)).await),
        _ => Err(no_broker(cluster.up().len())),
    }
}

fn no_broker(count: usize) -> Problem {
    let ids = format!("one of 1 to {count}");
    Problem::new(&NOT_FOUND, "There is no such broker.").field("id", ids)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetRtt {
    ms: u64,
}

async fn set_rtt(
    State(cluster): State<Cluster>,
    Query(SetRtt { ms }): Query<SetRtt>,
) -> Result<Json<Value>, Problem> {
    if ms > LONGEST_RTT {
        return Err(Problem::invalid("ms", format!("a whole number from 0 to {LONGEST_RTT}")));
    }
    cluster.set_round_trip(Duration::from_millis(ms));
    Ok(Json(json!({ "rtt_ms": ms })))
}
