//! The admin port: health, metrics, and the outages that the mock cluster can simulate.
//!
//! * `GET /livez`, `GET /readyz` -- 200; readiness fails with 503 while no broker is up.
//! * `GET /metrics` -- Prometheus text.
//! * `GET /brokers`, `PUT /brokers/{id}?up=true|false` -- a broker that is down cuts and refuses connections.
//! * `PUT /rtt?ms=50` -- delays every response, 0 to 60000; 0 ends it.

use std::{fmt::Write, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, put},
};
use serde::Deserialize;
use serde_json::json;

use crate::cluster::Cluster;

/// Longest round trip, in milliseconds.
const LONGEST_RTT: u64 = 60_000;

/// The admin routes.
pub(crate) fn router(cluster: Cluster) -> Router {
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/brokers", get(brokers))
        .route("/brokers/{id}", put(set_broker))
        .route("/rtt", put(set_rtt))
        .fallback(async || {
            problem(StatusCode::NOT_FOUND, "path", "expected /livez, /readyz, /metrics, /brokers, /rtt")
        })
        .with_state(cluster)
}

async fn ready(State(cluster): State<Cluster>) -> Response {
    if cluster.reachable().is_empty() {
        return (StatusCode::SERVICE_UNAVAILABLE, "no broker is up\n").into_response();
    }
    "ok\n".into_response()
}

async fn metrics(State(cluster): State<Cluster>) -> Response {
    let mut text = String::from(
        "# HELP kafka_broker_up Whether the broker accepts connections.\n# TYPE kafka_broker_up gauge\n",
    );
    for (index, up) in cluster.up().into_iter().enumerate() {
        let _ = writeln!(text, "kafka_broker_up{{broker=\"{}\"}} {}", index + 1, u8::from(up));
    }
    text.push_str(
        "# HELP kafka_topic_partitions Partitions of a topic.\n# TYPE kafka_topic_partitions gauge\n",
    );
    for topic in cluster.topics() {
        let _ = writeln!(text, "kafka_topic_partitions{{topic=\"{}\"}} {}", topic.name, topic.partitions);
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

async fn brokers(State(cluster): State<Cluster>) -> Json<serde_json::Value> {
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
    query: Result<Query<SetBroker>, QueryRejection>,
) -> Response {
    let Ok(Query(SetBroker { up })) = query else {
        return problem(StatusCode::BAD_REQUEST, "up", "expected ?up=true or ?up=false");
    };
    match id.parse() {
        Ok(number) if cluster.set_up(number, up) => brokers(State(cluster)).await.into_response(),
        _ => {
            let ids = format!("the brokers are 1 to {}", cluster.up().len());
            problem(StatusCode::NOT_FOUND, "id", &ids)
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetRtt {
    ms: u64,
}

async fn set_rtt(State(cluster): State<Cluster>, query: Result<Query<SetRtt>, QueryRejection>) -> Response {
    match query {
        Ok(Query(SetRtt { ms })) if ms <= LONGEST_RTT => {
            cluster.set_round_trip(Duration::from_millis(ms));
            Json(json!({ "rtt_ms": ms })).into_response()
        }
        _ => problem(StatusCode::BAD_REQUEST, "ms", &format!("expected ?ms= with 0 to {LONGEST_RTT}")),
    }
}

/// An RFC 9457 problem that names what was wrong and what would be right.
fn problem(status: StatusCode, field: &str, right: &str) -> Response {
    let body = json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": right,
        "errors": { field: right },
    });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}
