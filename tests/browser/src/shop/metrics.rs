//! Prometheus's query API.

use std::collections::BTreeSet;

use axum::{
    Json, Router,
    extract::{Path, RawQuery, State},
    http::StatusCode,
    routing::{any, get},
};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{Memory, canary, fields, object, seconds};
use crate::promql::{self, Answer, Series};

type Reply = (StatusCode, Json<Value>);

pub(super) fn routes() -> Router<Memory> {
    Router::new()
        .route("/api/v1/query", any(query))
        .route("/api/v1/query_range", any(query_range))
        .route("/api/v1/series", any(series))
        .route("/api/v1/labels", any(labels))
        .route("/api/v1/label/{name}/values", get(values))
        .route("/api/v1/query_exemplars", any(exemplars))
        .route("/api/v1/metadata", get(|| async { success(&json!({})) }))
        .route("/api/v1/rules", get(|| async { success(&json!({ "groups": [] })) }))
        .route("/api/v1/targets", get(|| async { success(&json!({ "activeTargets": [] })) }))
}

/// What was asked for: the query string and the form, because both are allowed.
struct Asked(Vec<(String, String)>);

impl Asked {
    fn new(query: Option<String>, body: &str) -> Self {
        Self([fields(&query.unwrap_or_default()), fields(body)].concat())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A time in seconds since 1970, or as RFC 3339.
    fn time(&self, name: &str) -> Option<f64> {
        let text = self.get(name)?;
        let written = || text.parse::<DateTime<Utc>>().ok().map(seconds);
        text.parse().ok().or_else(written)
    }

    /// A duration in seconds, or with a unit.
    fn step(&self) -> f64 {
        let text = self.get("step").unwrap_or("15");
        let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
        let with_unit = || {
            units.iter().find_map(|(unit, size)| {
                let number: f64 = text.strip_suffix(unit)?.parse().ok()?;
                Some(number * size)
            })
        };
        text.parse().ok().or_else(with_unit).unwrap_or(15.0)
    }
}

fn success(data: &Value) -> Reply {
    (StatusCode::OK, Json(json!({ "status": "success", "data": data })))
}

fn refusal(why: &str) -> Reply {
    let body = json!({ "status": "error", "errorType": "bad_data", "error": why });
    (StatusCode::BAD_REQUEST, Json(body))
}

async fn query(State(memory): State<Memory>, RawQuery(query): RawQuery, body: String) -> Reply {
    let asked = Asked::new(query, &body);
    let at = asked.time("time").unwrap_or_else(|| seconds(Utc::now()));
    let value = |one: &Series| json!([at, one.at(at).to_string()]);
    let judged = asked.get("query").and_then(|query| canary::counted(query, memory.world().started, at));
    if let Some(result) = judged {
        return success(&json!({ "resultType": "vector", "result": result }));
    }
    match promql::answer(asked.get("query").unwrap_or_default(), memory.world()) {
        Err(why) => refusal(&why),
        Ok(Answer::Number(one)) => success(&json!({ "resultType": "scalar", "result": value(&one) })),
        Ok(Answer::Series(all)) => {
            let one = |one: &Series| json!({ "metric": object(&one.labels), "value": value(one) });
            let all: Vec<Value> = all.iter().map(one).collect();
            success(&json!({ "resultType": "vector", "result": all }))
        }
    }
}

async fn query_range(State(memory): State<Memory>, RawQuery(query): RawQuery, body: String) -> Reply {
    let asked = Asked::new(query, &body);
    let (Some(start), Some(end)) = (asked.time("start"), asked.time("end")) else {
        return refusal("start and end are needed");
    };
    let step = asked.step().max(0.001);
    let points = ((end - start) / step).floor().max(0.0) as u32;
    if points > 11_000 {
        return refusal("exceeded maximum resolution of 11,000 points per timeseries");
    }
    let times: Vec<f64> = (0..=points).map(|point| start + f64::from(point) * step).collect();
    let all = match promql::answer(asked.get("query").unwrap_or_default(), memory.world()) {
        Err(why) => return refusal(&why),
        Ok(Answer::Number(one)) => vec![one],
        Ok(Answer::Series(all)) => all,
    };
    let one = |one: &Series| {
        let values: Vec<Value> = times.iter().map(|at| json!([at, one.at(*at).to_string()])).collect();
        json!({ "metric": object(&one.labels), "values": values })
    };
    let all: Vec<Value> = all.iter().map(one).collect();
    success(&json!({ "resultType": "matrix", "result": all }))
}

/// Series that the selectors choose; those of `up` if there is none.
fn selected(memory: &Memory, asked: &Asked) -> Result<Vec<Series>, String> {
    let mut found = Vec::new();
    let selectors = asked.0.iter().filter(|(name, _)| name == "match[]").map(|(_, value)| value.as_str());
    let selectors: Vec<&str> = selectors.collect();
    for selector in if selectors.is_empty() { vec!["up"] } else { selectors } {
        if let Answer::Series(all) = promql::answer(selector, memory.world())? {
            found.extend(all);
        }
    }
    Ok(found)
}

async fn series(State(memory): State<Memory>, RawQuery(query): RawQuery, body: String) -> Reply {
    match selected(&memory, &Asked::new(query, &body)) {
        Ok(all) => success(&all.iter().map(|one| object(&one.labels)).collect()),
        Err(why) => refusal(&why),
    }
}

async fn labels(State(memory): State<Memory>, RawQuery(query): RawQuery, body: String) -> Reply {
    match selected(&memory, &Asked::new(query, &body)) {
        Ok(all) => {
            let names: BTreeSet<&String> = all.iter().flat_map(|one| one.labels.keys()).collect();
            success(&json!(names))
        }
        Err(why) => refusal(&why),
    }
}

async fn values(State(memory): State<Memory>, Path(name): Path<String>, RawQuery(query): RawQuery) -> Reply {
    match selected(&memory, &Asked::new(query, "")) {
        Ok(all) => {
            let found: BTreeSet<&str> =
                all.iter().filter_map(|one| one.labels.get(&name)).map(String::as_str).collect();
            if found.is_empty() { success(&json!(promql::values(&name))) } else { success(&json!(found)) }
        }
        Err(why) => refusal(&why),
    }
}

/// One request of the first series, near the end.
async fn exemplars(RawQuery(query): RawQuery, body: String) -> Reply {
    let asked = Asked::new(query, &body);
    let at = asked.time("end").unwrap_or_else(|| seconds(Utc::now())) - 60.0;
    let exemplar = json!({ "labels": { "trace_id": super::traces::ID }, "value": "0.05", "timestamp": at });
    success(&json!([{ "seriesLabels": { "service": "order-api" }, "exemplars": [exemplar] }]))
}
