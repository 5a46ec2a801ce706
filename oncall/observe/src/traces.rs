//! Traces as Jaeger's query API shows them: the part that the terminal needs.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

/// A trace as Jaeger's API shows it; times are microseconds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JaegerTrace {
    #[serde(rename = "traceID")]
    pub(super) id: String,
    #[serde(default)]
    pub(super) spans: Vec<Span>,
    #[serde(default)]
    pub(super) processes: BTreeMap<String, Process>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Span {
    #[serde(rename = "spanID")]
    pub(super) id: String,
    pub(super) operation_name: String,
    #[serde(default)]
    pub(super) references: Vec<Reference>,
    pub(super) start_time: u64,
    pub(super) duration: u64,
    #[serde(default)]
    pub(super) tags: Vec<Tag>,
    #[serde(rename = "processID", default)]
    pub(super) process: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reference {
    pub(super) ref_type: String,
    #[serde(rename = "spanID")]
    pub(super) span: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tag {
    pub(super) key: String,
    pub(super) value: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Process {
    pub(super) service_name: String,
}

impl Span {
    pub(super) fn failed(&self) -> bool {
        let marked = |tag: &Tag| {
            (tag.key == "error" && (tag.value == true || tag.value == "true"))
                || (tag.key == "otel.status_code" && tag.value == "ERROR")
        };
        self.tags.iter().any(marked)
    }

    /// What caused it. Of a consumer's span, which is the child of the producer's and linked to it, Jaeger keeps the link only.
    pub(super) fn parent(&self) -> Option<&str> {
        let first = |kind: &str| self.references.iter().find(|of| of.ref_type == kind);
        first("CHILD_OF").or_else(|| first("FOLLOWS_FROM")).map(|of| of.span.as_str())
    }
}

impl JaegerTrace {
    pub(super) fn service(&self, span: &Span) -> &str {
        self.processes.get(&span.process).map_or("?", |process| &process.service_name)
    }

    pub(super) fn start(&self) -> u64 {
        self.spans.iter().map(|span| span.start_time).min().unwrap_or_default()
    }

    pub(super) fn length(&self) -> u64 {
        let end = self.spans.iter().map(|span| span.start_time + span.duration).max();
        end.unwrap_or_default().saturating_sub(self.start())
    }

    /// Indices of the spans in the order of a tree, each with its depth. A span whose parent is not here is a root.
    pub(super) fn tree(&self) -> Vec<(usize, usize)> {
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

/// Reads what the query API answered.
///
/// # Errors
/// When it is not what Jaeger would answer.
pub(super) fn parse(mut answer: Value) -> Result<Vec<JaegerTrace>> {
    let data = answer["data"].take();
    if data.is_null() {
        return Ok(Vec::new());
    }
    serde_json::from_value(data).context("the trace store's answer is not what Jaeger would answer")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn trace() -> JaegerTrace {
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
        parse(data).unwrap().remove(0)
    }

    #[test]
    fn spans_are_drawn_as_a_tree_in_the_order_of_time() {
        let trace = trace();
        let tree: Vec<_> =
            trace.tree().into_iter().map(|(at, depth)| (trace.spans[at].id.clone(), depth)).collect();
        assert_eq!(tree, [("a".to_owned(), 0), ("b".to_owned(), 1), ("c".to_owned(), 2)]);
        assert_eq!(trace.length(), 100);
    }
}
