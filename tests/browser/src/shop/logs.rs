//! Loki's query API: a few lines of each service, and numbers for queries that count.

use axum::{Json, Router, extract::RawQuery, routing::get};
use chrono::{TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::{fields, seconds};
use crate::{
    promql::{SERVICES, values},
    shop::Memory,
};

/// Seconds ago, level and message.
const LINES: [(i64, &str, &str); 3] = [
    (8, "ERROR", "no connection within 500 ms"),
    (20, "WARN", "the pool of connections is full"),
    (50, "INFO", "started"),
];
/// Points of a curve.
const POINTS: i64 = 20;

pub(super) fn routes() -> Router<Memory> {
    Router::new()
        .route("/loki/api/v1/query", get(|query: RawQuery| async move { answer(query, false) }))
        .route("/loki/api/v1/query_range", get(|query: RawQuery| async move { answer(query, true) }))
}

fn answer(RawQuery(query): RawQuery, range: bool) -> Json<Value> {
    let fields = fields(&query.unwrap_or_default());
    let query = fields.iter().find(|(name, _)| name == "query").map_or("", |(_, value)| value.trim());
    let data = if query.starts_with('{') { lines(query) } else { numbers(query, range) };
    Json(json!({ "status": "success", "data": data }))
}

/// The lines of the services that the query names, or of all.
fn lines(query: &str) -> Value {
    let all = query.contains(".+");
    let services = SERVICES.into_iter().filter(|service| all || query.contains(service));
    let stream = |service: &str| {
        let line = |(before, level, message): (i64, &str, &str)| {
            let at = Utc::now() - TimeDelta::seconds(before);
            let text = json!({ "timestamp": at, "level": level, "message": message, "target": service, "trace_id": super::traces::ID });
            json!([at.timestamp_nanos_opt().unwrap_or_default().to_string(), text.to_string()])
        };
        json!({ "stream": { "service": service }, "values": LINES.map(line) })
    };
    let streams: Vec<Value> = services.map(stream).collect();
    json!({ "resultType": "streams", "result": streams })
}

/// One series with an example of each label by which the query groups.
fn numbers(query: &str, range: bool) -> Value {
    let by =
        query.split_once(" by (").and_then(|(_, rest)| rest.split_once(')')).map_or("", |(names, _)| names);
    let names = by.split(',').map(str::trim).filter(|name| !name.is_empty());
    let labels: Map<String, Value> =
        names.map(|name| (name.to_owned(), Value::from(values(name)[0]))).collect();
    let now = seconds(Utc::now());
    if !range {
        return json!({ "resultType": "vector", "result": [{ "metric": labels, "value": [now, "12"] }] });
    }
    let points: Vec<Value> =
        (0..POINTS).map(|at| json!([now - 15.0 * (POINTS - at) as f64, (10 + at % 7).to_string()])).collect();
    json!({ "resultType": "matrix", "result": [{ "metric": labels, "values": points }] })
}
