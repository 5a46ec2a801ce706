//! An OTLP/HTTP receiver that keeps all spans, and assertions on them.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Bytes, extract::State, routing::post};
use http::StatusCode;
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::{self as otlp, span::SpanKind, status::StatusCode as SpanStatus},
};
use parking_lot::{Mutex, MutexGuard};
use prost::Message;
use tokio::task::JoinHandle;

use crate::eventually;

/// A span as it was exported.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// 32 hex digits.
    pub trace_id: String,
    /// 16 hex digits.
    pub span_id: String,
    /// 16 hex digits; empty for a root.
    pub parent_id: String,
    /// Name.
    pub name: String,
    /// `service.name` of the resource.
    pub service: String,
    /// `server`, `client`, `producer`, `consumer` or `internal`.
    pub kind: &'static str,
    /// Whether its status is an error.
    pub error: bool,
    /// Duration.
    pub duration: Duration,
    /// Attributes as text.
    pub attributes: BTreeMap<String, String>,
    /// Trace and span ids of its links.
    pub links: Vec<(String, String)>,
    /// Names of its events.
    pub events: Vec<String>,
}

/// A receiver on its own port. Stops when dropped.
pub struct TraceSink {
    addr: SocketAddr,
    spans: Arc<Mutex<Vec<Span>>>,
    serving: JoinHandle<()>,
}

impl TraceSink {
    /// Starts one on a free port.
    pub async fn start() -> Self {
        let spans = Arc::new(Mutex::new(Vec::new()));
        let routes = Router::new().route("/v1/traces", post(receive)).with_state(Arc::clone(&spans));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("a bound address");
        let serving = tokio::spawn(async move {
            let _ = axum::serve(listener, routes).await;
        });
        Self { addr, spans, serving }
    }

    /// The URL for `OTEL_EXPORTER_OTLP_ENDPOINT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// All spans so far.
    #[must_use]
    pub fn all(&self) -> Vec<Span> {
        lock(&self.spans).clone()
    }

    /// The spans of one trace so far, in order of arrival.
    #[must_use]
    pub fn spans_of(&self, trace_id: &str) -> Vec<Span> {
        lock(&self.spans).iter().filter(|span| span.trace_id == trace_id).cloned().collect()
    }

    /// Waits until the trace has a span with each of the names, and returns its spans.
    ///
    /// # Panics
    /// When they do not arrive in time; lists those that did.
    pub async fn wait_for(&self, trace_id: &str, names: &[&str], deadline: Duration) -> Vec<Span> {
        eventually(deadline, || async {
            let spans = self.spans_of(trace_id);
            let missing = names.iter().find(|name| !spans.iter().any(|span| span.name == **name));
            let have: Vec<_> = spans.iter().map(|span| &span.name).collect();
            missing
                .map_or_else(|| Ok(spans.clone()), |name| Err(format!("no span {name}; there is {have:?}")))
        })
        .await
    }
}

impl Drop for TraceSink {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Asserts that `child` is a child of `parent` in the same trace.
///
/// # Panics
/// When it is not.
#[track_caller]
pub fn assert_child(child: &Span, parent: &Span) {
    assert_eq!(child.trace_id, parent.trace_id, "{} and {} are in different traces", child.name, parent.name);
    assert_eq!(child.parent_id, parent.span_id, "{} is not a child of {}", child.name, parent.name);
}

/// Asserts that `span` has a link to `target`.
///
/// # Panics
/// When it has none.
#[track_caller]
pub fn assert_linked(span: &Span, target: &Span) {
    let wanted = (target.trace_id.clone(), target.span_id.clone());
    assert!(span.links.contains(&wanted), "{} has no link to {}: {:?}", span.name, target.name, span.links);
}

async fn receive(
    State(spans): State<Arc<Mutex<Vec<Span>>>>,
    body: Bytes,
) -> Result<Vec<u8>, (StatusCode, String)> {
    let request = ExportTraceServiceRequest::decode(body)
        .map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    for group in request.resource_spans {
        let resource = attributes(group.resource.map(|resource| resource.attributes).unwrap_or_default());
        let service = resource.get("service.name").cloned().unwrap_or_default();
        for scope in group.scope_spans {
            lock(&spans).extend(scope.spans.into_iter().map(|span| convert(span, &service)));
        }
    }
    Ok(ExportTraceServiceResponse::default().encode_to_vec())
}

fn lock(spans: &Mutex<Vec<Span>>) -> MutexGuard<'_, Vec<Span>> {
    spans.lock()
}

fn convert(span: otlp::Span, service: &str) -> Span {
    Span {
        trace_id: hex(&span.trace_id),
        span_id: hex(&span.span_id),
        parent_id: hex(&span.parent_span_id),
        kind: match span.kind() {
            SpanKind::Server => "server",
            SpanKind::Client => "client",
            SpanKind::Producer => "producer",
            SpanKind::Consumer => "consumer",
            SpanKind::Internal | SpanKind::Unspecified => "internal",
        },
        error: span.status.as_ref().is_some_and(|status| status.code() == SpanStatus::Error),
        duration: Duration::from_nanos(span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano)),
        links: span.links.iter().map(|link| (hex(&link.trace_id), hex(&link.span_id))).collect(),
        events: span.events.into_iter().map(|event| event.name).collect(),
        attributes: attributes(span.attributes),
        name: span.name,
        service: service.to_owned(),
    }
}

fn attributes(pairs: Vec<KeyValue>) -> BTreeMap<String, String> {
    pairs.into_iter().map(|pair| (pair.key, pair.value.map(text).unwrap_or_default())).collect()
}

fn text(value: AnyValue) -> String {
    match value.value {
        Some(Value::StringValue(value)) => value,
        Some(Value::IntValue(value)) => value.to_string(),
        Some(Value::DoubleValue(value)) => value.to_string(),
        Some(Value::BoolValue(value)) => value.to_string(),
        other => format!("{other:?}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
