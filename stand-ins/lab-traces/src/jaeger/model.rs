//! A trace in the JSON format of Jaeger's UI.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;

use super::tags::{self, Tag, hex};
use crate::store::{Source, StoredSpan, Trace};

/// A trace.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TraceJson {
    #[serde(rename = "traceID")]
    trace_id: String,
    spans: Vec<SpanJson>,
    processes: BTreeMap<String, ProcessJson>,
    warnings: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SpanJson {
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
    operation_name: String,
    references: Vec<Reference>,
    /// Microseconds since 1970.
    start_time: u64,
    /// Microseconds.
    duration: u64,
    tags: Vec<Tag>,
    logs: Vec<Log>,
    #[serde(rename = "processID")]
    process_id: String,
    warnings: Option<Vec<String>>,
}

#[derive(Serialize, PartialEq)]
struct Reference {
    #[serde(rename = "refType")]
    kind: &'static str,
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(rename = "spanID")]
    span_id: String,
}

#[derive(Serialize)]
struct Log {
    /// Microseconds since 1970.
    timestamp: u64,
    fields: Vec<Tag>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProcessJson {
    service_name: String,
    tags: Vec<Tag>,
}

impl TraceJson {
    pub(super) fn of(trace: &Trace) -> Self {
        let mut processes = Processes::default();
        let trace_id = hex(&trace.id);
        let spans = trace
            .spans()
            .iter()
            .map(|span| SpanJson::of(span, &trace_id, processes.key(&span.source)))
            .collect();
        Self { trace_id, spans, processes: processes.render(), warnings: None }
    }
}

/// The distinct processes of a trace: `p1`, `p2`, …
#[derive(Default)]
struct Processes(Vec<Arc<Source>>);

impl Processes {
    fn key(&mut self, source: &Arc<Source>) -> String {
        let known = self.0.iter().position(|known| known.same_process(source));
        let at = known.unwrap_or_else(|| {
            self.0.push(Arc::clone(source));
            self.0.len() - 1
        });
        format!("p{}", at + 1)
    }

    fn render(self) -> BTreeMap<String, ProcessJson> {
        let process = |source: &Source| ProcessJson {
            service_name: source.service.to_string(),
            tags: tags::of_process(source),
        };
        let numbered = self.0.into_iter().enumerate();
        numbered.map(|(at, source)| (format!("p{}", at + 1), process(&source))).collect()
    }
}

impl SpanJson {
    fn of(span: &StoredSpan, trace_id: &str, process_id: String) -> Self {
        let mut body = span.body();
        let mut references: Vec<Reference> = Vec::new();
        // The parent first: the UI places a span below its first reference.
        if let Some(parent) = span.parent {
            let (trace_id, span_id) = (trace_id.to_owned(), hex(&parent));
            references.push(Reference { kind: "CHILD_OF", trace_id, span_id });
        }
        for link in &body.links {
            let (trace_id, span_id) = (hex(&link.trace_id), hex(&link.span_id));
            let parent = references.first().is_some_and(|r| r.trace_id == trace_id && r.span_id == span_id);
            if !parent {
                references.push(Reference { kind: "FOLLOWS_FROM", trace_id, span_id });
            }
        }
        let logs = std::mem::take(&mut body.events)
            .into_iter()
            .map(|event| {
                let name = tags::event_name(event.name);
                let fields = std::iter::once(name).chain(event.attributes.into_iter().map(Tag::of));
                Log { timestamp: event.time_unix_nano / 1_000, fields: fields.collect() }
            })
            .collect();
        Self {
            trace_id: trace_id.to_owned(),
            span_id: hex(&span.id),
            operation_name: span.name.to_string(),
            references,
            start_time: span.start / 1_000,
            duration: span.duration / 1_000,
            tags: tags::of_span(span, &mut body),
            logs,
            process_id,
            warnings: None,
        }
    }
}
