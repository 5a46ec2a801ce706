//! Traces: a search, or one trace with its spans in the order of the calls.

use chrono::{DateTime, TimeDelta, Utc};
use observe::traces::{Search, Span, Trace};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::time::timeout;
use utoipa::{IntoParams, ToSchema};

use super::{
    Answer,
    asked::logged,
    bounds::{first, limit, shortened, since},
};
use crate::{
    error::{Error, Result},
    eyes::{PATIENCE, within},
    mcp::caller::Caller,
    room::Room,
};

/// Traces of an answer, usually and at most.
const TRACES: (usize, usize) = (20, 50);
/// Most spans of one trace.
const SPANS: usize = 200;
/// Most attributes of a span, and the longest value in characters.
const TAGS: (usize, usize) = (20, 300);
/// How far back, if the caller does not say.
const USUAL: TimeDelta = TimeDelta::minutes(15);

/// Which traces: `trace` for one, else a search with `service`.
#[derive(Debug, Deserialize, Serialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TracesAsked {
    /// This trace, with its spans: up to 32 hexadecimal digits.
    trace: Option<String>,
    /// Traces with a span of this service.
    service: Option<String>,
    /// Only those that failed in that service.
    failed: Option<bool>,
    /// Only those with a span of that service at least this long, such as 250ms.
    min_duration: Option<String>,
    /// Not older than this: an instant (RFC 3339) or how long ago, such as 5m; 15m, if absent; at most 6h.
    since: Option<String>,
    /// Most traces, 1 to 50; 20, if absent.
    limit: Option<usize>,
}

/// The traces of a search, longest first; or one trace with its spans.
///
/// # Errors
/// When a value is wrong, there is no such trace, or the trace store does not answer.
pub(crate) async fn traces(room: &Room, caller: &Caller, asked: TracesAsked) -> Result<Answer> {
    let arguments = serde_json::to_value(&asked)?;
    logged(room, caller, "find_traces", arguments, look(room, &asked)).await
}

async fn look(room: &Room, asked: &TracesAsked) -> Result<Answer> {
    if let Some(id) = &asked.trace {
        return one(room, id).await;
    }
    let now = Utc::now();
    let search = search(asked, now)?;
    let found = within("The trace store", room.eyes.traces.search(&search)).await?;
    let mut found = found.traces;
    found.sort_by_key(|trace| std::cmp::Reverse(trace.length()));
    let (traces, note) =
        first(found.iter().map(summary).collect(), search.limit, "narrow the time, or set `min_duration`");
    let kept = (traces.len() == search.limit).then(|| {
        "there may be more: only some are listed; narrow the time, or set `min_duration`".to_owned()
    });
    Ok(Answer::new(json!({ "since": search.window.0, "traces": traces })).noting(note.or(kept)))
}

fn search(asked: &TracesAsked, now: DateTime<Utc>) -> Result<Search> {
    let service = asked.service.clone();
    let service = service.ok_or_else(|| Error::field("service", "a service; or `trace`, for one trace"))?;
    let least = |text: &String| {
        humantime::parse_duration(text)
            .map_err(|_| Error::field("min_duration", format!("a time such as 250ms, found `{text}`")))
    };
    Ok(Search {
        service,
        min_duration: asked.min_duration.as_ref().map(least).transpose()?,
        error: asked.failed == Some(true),
        limit: limit(asked.limit, TRACES.0, TRACES.1)?,
        window: (since(asked.since.as_deref(), USUAL, now)?, now),
    })
}

async fn one(room: &Room, id: &str) -> Result<Answer> {
    if !(1..=32).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Error::field("trace", format!("up to 32 hexadecimal digits, found `{id}`")));
    }
    let found = match timeout(PATIENCE, room.eyes.traces.trace(id)).await {
        Err(_) => return Err(Error::Elsewhere("the trace store did not answer in time".to_owned())),
        // Jaeger itself says so of an unknown one.
        Ok(Err(observe::Error::Refused { status: 404, .. })) => None,
        Ok(Err(error)) => return Err(Error::Elsewhere(error.to_string())),
        Ok(Ok(answer)) => answer.traces.into_iter().next(),
    };
    let known = "those of a search by `service`; the store keeps only the newest".to_owned();
    let trace = found.ok_or(Error::NoSuch { what: "trace", name: id.to_owned(), known })?;
    let spans = trace.tree().into_iter().map(|(at, depth)| span(&trace, &trace.spans[at], depth)).collect();
    let (spans, note) = first(spans, SPANS, "the others come later in the trace");
    let mut body = summary(&trace);
    body["spans"] = json!(spans);
    Ok(Answer::new(json!({ "trace": body })).noting(note))
}

fn summary(trace: &Trace) -> Value {
    let tree = trace.tree();
    let root = tree.first().map(|(at, _)| &trace.spans[*at]);
    let name = root.map(|span| format!("{} {}", trace.service(span), span.operation_name));
    let mut services: Vec<&str> = Vec::new();
    for (at, _) in &tree {
        let service = trace.service(&trace.spans[*at]);
        if !services.contains(&service) {
            services.push(service);
        }
    }
    let failed = trace.spans.iter().filter(|span| span.failed()).count();
    json!({
        "trace": trace.id, "name": name, "started_at": at(trace.start()),
        "duration_ms": millis(trace.length()), "span_count": trace.spans.len(),
        "failed_spans": failed, "services": services,
    })
}

fn span(trace: &Trace, span: &Span, depth: usize) -> Value {
    let attribute = |value: &Value| match value {
        Value::String(text) => Value::String(shortened(text, TAGS.1)),
        value => value.clone(),
    };
    let tags = span.tags.iter().take(TAGS.0).map(|tag| (tag.key.clone(), attribute(&tag.value)));
    let after = span.start_time.saturating_sub(trace.start());
    json!({
        "depth": depth, "service": trace.service(span), "name": span.operation_name, "failed": span.failed(),
        "after_ms": millis(after), "duration_ms": millis(span.duration),
        "attributes": tags.collect::<Map<String, Value>>(),
    })
}

/// Microseconds as milliseconds.
fn millis(microseconds: u64) -> f64 {
    microseconds as f64 / 1000.0
}

/// The time of these microseconds since 1970.
fn at(microseconds: u64) -> DateTime<Utc> {
    i64::try_from(microseconds).ok().and_then(DateTime::from_timestamp_micros).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn asked(service: Option<&str>) -> TracesAsked {
        TracesAsked {
            trace: None,
            service: service.map(str::to_owned),
            failed: Some(true),
            min_duration: Some("250ms".to_owned()),
            since: None,
            limit: None,
        }
    }

    #[test]
    fn a_search_needs_a_service_and_is_bounded() {
        let now = Utc::now();
        let found = search(&asked(Some("order-api")), now).unwrap();
        assert_eq!((found.limit, found.error), (20, true));
        assert_eq!(found.min_duration, Some(Duration::from_millis(250)));
        assert_eq!(found.window, (now - USUAL, now));
        assert!(search(&asked(None), now).unwrap_err().to_string().starts_with("service: "));
        let old = TracesAsked { since: Some("7h".to_owned()), ..asked(Some("order-api")) };
        assert!(search(&old, now).unwrap_err().to_string().starts_with("since: at most 6 h"));
    }

    #[test]
    fn a_trace_is_a_sentence_and_its_spans_are_in_the_order_of_the_calls() {
        let spans = json!([
            { "spanID": "b", "operationName": "GET /users", "startTime": 1500, "duration": 250,
              "references": [{ "refType": "CHILD_OF", "spanID": "a" }], "processID": "2",
              "tags": [{ "key": "error", "value": true }] },
            { "spanID": "a", "operationName": "POST /orders", "startTime": 1000, "duration": 1000,
              "processID": "1" },
        ]);
        let processes =
            json!({ "1": { "serviceName": "order-api" }, "2": { "serviceName": "user-service" } });
        let trace = json!({ "traceID": "4bf9", "spans": spans, "processes": processes });
        let trace: Trace = serde_json::from_value(trace).unwrap();
        let found = summary(&trace);
        assert_eq!((&found["name"], &found["failed_spans"]), (&json!("order-api POST /orders"), &json!(1)));
        assert_eq!(found["services"], json!(["order-api", "user-service"]));
        let (at, depth) = trace.tree()[1];
        let call = span(&trace, &trace.spans[at], depth);
        assert_eq!(
            (&call["depth"], &call["after_ms"], &call["duration_ms"]),
            (&json!(1), &json!(0.5), &json!(0.25))
        );
        assert_eq!(call["attributes"], json!({ "error": true }));
    }
}
