//! OpenTelemetry attributes as Jaeger tags, translated as Jaeger's own collector does
//! (<https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/jaeger/>).

use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, KeyValue, any_value::Value as Otlp},
    trace::v1::{Span, status::StatusCode},
};
use serde::Serialize;
use serde_json::Value;

use crate::store::{Source, StoredSpan};

/// A tag.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Tag {
    pub(super) key: String,
    #[serde(rename = "type")]
    kind: &'static str,
    value: Value,
}

impl Tag {
    fn text(key: &str, value: impl Into<String>) -> Self {
        Self { key: key.to_owned(), kind: "string", value: Value::String(value.into()) }
    }

    pub(super) fn of(attribute: KeyValue) -> Self {
        let (kind, value) = typed(attribute.value);
        Self { key: attribute.key, kind, value }
    }

    /// Whether it matches `key=value` in a search.
    pub(super) fn reads(&self, key: &str, value: &str) -> bool {
        self.key == key
            && match &self.value {
                Value::String(text) => text == value,
                // As in the JSON: `true`, `503`, `0.5`.
                other => format!("{other}") == value,
            }
    }
}

fn typed(value: Option<AnyValue>) -> (&'static str, Value) {
    match value.and_then(|value| value.value) {
        None => ("string", Value::String(String::new())),
        Some(Otlp::StringValue(text)) => ("string", Value::String(text)),
        Some(Otlp::BoolValue(yes)) => ("bool", Value::Bool(yes)),
        Some(Otlp::IntValue(number)) => ("int64", number.into()),
        // JSON has no NaN and no infinity.
        Some(Otlp::DoubleValue(number)) => match serde_json::Number::from_f64(number) {
            Some(json) => ("float64", Value::Number(json)),
            None => ("string", Value::String(number.to_string())),
        },
        Some(other) => ("string", Value::String(nested(other).to_string())),
    }
}

/// Arrays and maps, which Jaeger shows as JSON text.
fn nested(value: Otlp) -> Value {
    match value {
        Otlp::ArrayValue(array) => array.values.into_iter().map(inner).collect(),
        Otlp::KvlistValue(map) => map.values.into_iter().map(|kv| (kv.key, inner_of(kv.value))).collect(),
        Otlp::BytesValue(bytes) => Value::String(hex(&bytes)),
        simple => typed(Some(AnyValue { value: Some(simple) })).1,
    }
}

fn inner(value: AnyValue) -> Value {
    inner_of(Some(value))
}

fn inner_of(value: Option<AnyValue>) -> Value {
    value.and_then(|value| value.value).map_or(Value::Null, nested)
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The tags of a span: its attributes, and data for which Jaeger has no field. Moves the attributes out of `body`.
pub(super) fn of_span(span: &StoredSpan, body: &mut Span) -> Vec<Tag> {
    let mut tags: Vec<Tag> = std::mem::take(&mut body.attributes).into_iter().map(Tag::of).collect();
    if !span.kind.as_str().is_empty() {
        tags.push(Tag::text("span.kind", span.kind.as_str()));
    }
    if let Some(status) = body.status.as_ref() {
        match status.code() {
            StatusCode::Unset => {}
            StatusCode::Ok => tags.push(Tag::text("otel.status_code", "OK")),
            StatusCode::Error => {
                tags.push(Tag { key: "error".to_owned(), kind: "bool", value: Value::Bool(true) });
                tags.push(Tag::text("otel.status_code", "ERROR"));
            }
        }
        if !status.message.is_empty() {
            tags.push(Tag::text("otel.status_description", status.message.clone()));
        }
    }
    if !body.trace_state.is_empty() {
        tags.push(Tag::text("w3c.tracestate", body.trace_state.clone()));
    }
    let scope = span.source.scope();
    if !scope.name.is_empty() {
        tags.push(Tag::text("otel.scope.name", scope.name));
    }
    if !scope.version.is_empty() {
        tags.push(Tag::text("otel.scope.version", scope.version));
    }
    tags
}

/// The tags of a process: its resource without the name, for which Jaeger has a field.
pub(super) fn of_process(source: &Source) -> Vec<Tag> {
    let attributes = source.resource().attributes.into_iter();
    attributes.filter(|attribute| attribute.key != "service.name").map(Tag::of).collect()
}

/// The name of an event, which Jaeger keeps among the fields of a log.
pub(super) fn event_name(name: String) -> Tag {
    Tag::text("event", name)
}
