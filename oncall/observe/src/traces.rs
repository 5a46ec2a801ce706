//! Traces through Jaeger's query API, whichever store serves it.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::{Peer, Result};

/// A client of one trace store.
#[derive(Debug, Clone)]
pub struct Jaeger(Peer);

/// What to search for.
#[derive(Debug, Clone)]
pub struct Search {
    /// Service whose spans are searched.
    pub service: String,
    /// Only traces with a span of that service at least this long.
    pub min_duration: Option<Duration>,
    /// Only traces with an error in that service.
    pub error: bool,
    /// Maximum number of traces.
    pub limit: usize,
    /// Start and end of the search.
    pub window: (DateTime<Utc>, DateTime<Utc>),
}

/// The response of the query API.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Unchanged, for scripts.
    pub raw: Value,
    /// Parsed.
    pub traces: Vec<Trace>,
}

/// A trace; times are in microseconds.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trace {
    #[serde(rename = "traceID")]
    /// 32 hexadecimal digits.
    pub id: String,
    /// In no particular order.
    #[serde(default)]
    pub spans: Vec<Span>,
    /// By the process ids in the spans.
    #[serde(default)]
    pub processes: BTreeMap<String, Process>,
}

/// One step of a trace.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// 16 hexadecimal digits.
    #[serde(rename = "spanID")]
    pub id: String,
    /// The operation.
    pub operation_name: String,
    /// Its parent and its links.
    #[serde(default)]
    pub references: Vec<Reference>,
    /// Start, since 1970.
    pub start_time: u64,
    /// Length.
    pub duration: u64,
    /// Its attributes.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// The process that recorded it.
    #[serde(rename = "processID", default)]
    pub process: String,
}

/// A reference to another span.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    /// `CHILD_OF` or `FOLLOWS_FROM`.
    pub ref_type: String,
    /// Its id.
    #[serde(rename = "spanID")]
    pub span: String,
}

/// One attribute.
#[derive(Debug, Clone, Deserialize)]
pub struct Tag {
    /// Its name.
    pub key: String,
    /// Its value.
    pub value: Value,
}

/// The process that recorded a span.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// The service.
    pub service_name: String,
}

impl Span {
    /// Whether it ended with an error.
    #[must_use]
    pub fn failed(&self) -> bool {
        let marked = |tag: &Tag| {
            (tag.key == "error" && (tag.value == true || tag.value == "true"))
                || (tag.key == "otel.status_code" && tag.value == "ERROR")
        };
        self.tags.iter().any(marked)
    }

    /// Its parent. A consumer's span is the child of the producer's span and linked to it; of these Jaeger keeps
    /// only the link.
    #[must_use]
    pub fn parent(&self) -> Option<&str> {
        let first = |kind: &str| self.references.iter().find(|of| of.ref_type == kind);
        first("CHILD_OF").or_else(|| first("FOLLOWS_FROM")).map(|of| of.span.as_str())
    }
}

impl Trace {
    /// The service of a span.
    #[must_use]
    pub fn service(&self, span: &Span) -> &str {
        self.processes.get(&span.process).map_or("?", |process| &process.service_name)
    }

    /// Start of its first span, since 1970.
    #[must_use]
    pub fn start(&self) -> u64 {
        self.spans.iter().map(|span| span.start_time).min().unwrap_or_default()
    }

    /// From its first start to its last end.
    #[must_use]
    pub fn length(&self) -> u64 {
        let end = self.spans.iter().map(|span| span.start_time + span.duration).max();
        end.unwrap_or_default().saturating_sub(self.start())
    }

    /// Indices of the spans in tree order, each with its depth. A span whose parent is missing is a root.
    #[must_use]
    pub fn tree(&self) -> Vec<(usize, usize)> {
        let known = |id: &str| self.spans.iter().any(|span| span.id == id);
        let mut order: Vec<usize> = (0..self.spans.len()).collect();
        order.sort_by_key(|&at| self.spans[at].start_time);
        let roots = order.iter().filter(|&&at| !self.spans[at].parent().is_some_and(known));
        let mut open: Vec<(usize, usize)> = roots.rev().map(|&at| (at, 0)).collect();
        let mut tree = Vec::with_capacity(order.len());
        while let Some((at, depth)) = open.pop() {
            if tree.iter().any(|(seen, _)| *seen == at) {
                continue;
            }
            tree.push((at, depth));
            let children =
                order.iter().rev().filter(|&&child| self.spans[child].parent() == Some(&self.spans[at].id));
            open.extend(children.map(|&child| (child, depth + 1)));
        }
        tree
    }
}

/// How many of the newest traces are filtered here if the store cannot search for errors.
const SIFTED: usize = 1000;

const TRACES: &str = "/api/traces";

impl Jaeger {
    /// A client of this peer.
    #[must_use]
    pub const fn at(peer: Peer) -> Self {
        Self(peer)
    }

    /// Traces, in the store's order.
    ///
    /// # Errors
    /// When the store cannot be reached, or does not respond as Jaeger would.
    pub async fn search(&self, search: &Search) -> Result<Answer> {
        if !search.error {
            return self.ask(search, search.limit, false).await;
        }
        let found = self.ask(search, search.limit, true).await?.failed_in(&search.service, search.limit);
        if !found.traces.is_empty() {
            return Ok(found);
        }
        // Jaeger 2.13's memory store takes "error=true" for "status OK"; later versions do not.
        Ok(self.ask(search, SIFTED, false).await?.failed_in(&search.service, search.limit))
    }

    /// One trace by its id; without traces if the store has no span of it.
    ///
    /// # Errors
    /// As [`Jaeger::search`]; Jaeger itself returns an error for an unknown id.
    pub async fn trace(&self, id: &str) -> Result<Answer> {
        self.read(self.0.get(&format!("{TRACES}/{id}"), &[]).await?)
    }

    async fn ask(&self, search: &Search, limit: usize, error: bool) -> Result<Answer> {
        let (from, until) = search.window;
        // Jaeger's API has no look-back: its UI sends both ends, and the default is two days.
        let from = from.timestamp_micros().max(0).to_string();
        let (until, limit) = (until.timestamp_micros().to_string(), limit.to_string());
        let mut query =
            vec![("service", search.service.as_str()), ("limit", &limit), ("start", &from), ("end", &until)];
        let least = search.min_duration.map(|least| format!("{}us", least.as_micros()));
        query.extend(least.as_deref().map(|least| ("minDuration", least)));
        if error {
            query.push(("tags", r#"{"error":"true"}"#));
        }
        self.read(self.0.get(TRACES, &query).await?)
    }

    fn read(&self, raw: Value) -> Result<Answer> {
        let traces = match &raw["data"] {
            Value::Null => Vec::new(),
            data => self.0.read(TRACES, data.clone())?,
        };
        Ok(Answer { raw, traces })
    }
}

impl Answer {
    /// Keeps the first traces that have a failed span of the service.
    fn failed_in(mut self, service: &str, limit: usize) -> Self {
        let failed =
            |trace: &Trace| trace.spans.iter().any(|span| span.failed() && trace.service(span) == service);
        let keep: Vec<bool> = self.traces.iter().map(failed).collect();
        let mut kept = keep.iter();
        self.traces.retain(|_| kept.next().copied().unwrap_or(false));
        self.traces.truncate(limit);
        if let Some(raw) = self.raw["data"].as_array_mut() {
            let mut kept = keep.iter();
            raw.retain(|_| kept.next().copied().unwrap_or(false));
            raw.truncate(limit);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(raw: Value) -> Answer {
        Jaeger::at(Peer::at("http://127.0.0.1")).read(raw).unwrap()
    }

    fn trace() -> Trace {
        let span = |id: &str, kind: &str, parent: Option<&str>, start: u64, duration: u64| {
            let references: Vec<_> = parent
                .iter()
                .map(|parent| json!({"refType": kind, "traceID": "t", "spanID": parent}))
                .collect();
            json!({ "spanID": id, "operationName": id, "references": references, "startTime": start,
                    "duration": duration, "tags": [], "processID": "p1" })
        };
        let root = span("a", "", None, 0, 100);
        let spans =
            [span("c", "FOLLOWS_FROM", Some("b"), 30, 10), root, span("b", "CHILD_OF", Some("a"), 20, 50)];
        let data = json!({ "data": [{ "traceID": "t", "spans": spans,
                                      "processes": { "p1": { "serviceName": "order-api" } } }] });
        answer(data).traces.remove(0)
    }

    #[test]
    fn spans_are_drawn_as_a_tree_in_the_order_of_time() {
        let trace = trace();
        let tree: Vec<_> =
            trace.tree().into_iter().map(|(at, depth)| (trace.spans[at].id.clone(), depth)).collect();
        assert_eq!(tree, [("a".to_owned(), 0), ("b".to_owned(), 1), ("c".to_owned(), 2)]);
        assert_eq!(trace.length(), 100);
    }

    #[test]
    fn only_traces_that_failed_in_the_service_are_kept() {
        let trace = |id: &str, service: &str, error: bool| {
            let span = json!({ "spanID": "1", "operationName": "x", "startTime": 1, "duration": 1,
                "tags": [{ "key": "error", "value": error }], "processID": "p1" });
            json!({ "traceID": id, "spans": [span], "processes": { "p1": { "serviceName": service } } })
        };
        let all = [
            trace("b", "order-api", false),
            trace("a", "order-api", true),
            trace("c", "user-service", true),
            trace("d", "order-api", true),
        ];
        let found = answer(json!({ "data": all })).failed_in("order-api", 1);
        assert_eq!((found.traces.len(), &*found.traces[0].id), (1, "a"));
        assert_eq!(found.raw["data"][0]["traceID"], "a");
        assert!(answer(json!({ "data": null })).traces.is_empty());
    }
}
