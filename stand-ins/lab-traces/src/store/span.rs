//! A stored span: fields for filters are decoded, the rest stays encoded, so that its size is known exactly and a span
//! takes little more than it took on the wire.

use std::{sync::Arc, time::Duration};

use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode};
use prost::Message;

use super::{Class, Source};

/// 16 bytes, not all zero.
pub type TraceId = [u8; 16];
/// 8 bytes, not all zero.
pub type SpanId = [u8; 8];

/// The role of a span, OTLP's `SpanKind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Not specified.
    Unspecified,
    /// Inside a process.
    Internal,
    /// Answers a request.
    Server,
    /// Sends a request.
    Client,
    /// Sends a message.
    Producer,
    /// Handles a message.
    Consumer,
}

impl Kind {
    /// Jaeger's names of the kinds.
    pub const NAMES: [&'static str; 5] = ["internal", "server", "client", "producer", "consumer"];

    /// Jaeger's name; empty if not specified.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "",
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }
}

impl From<SpanKind> for Kind {
    fn from(kind: SpanKind) -> Self {
        match kind {
            SpanKind::Unspecified => Self::Unspecified,
            SpanKind::Internal => Self::Internal,
            SpanKind::Server => Self::Server,
            SpanKind::Client => Self::Client,
            SpanKind::Producer => Self::Producer,
            SpanKind::Consumer => Self::Consumer,
        }
    }
}

/// A span.
#[derive(Debug, Clone)]
pub struct StoredSpan {
    /// Its id.
    pub id: SpanId,
    /// Its parent's id; `None` for a root.
    pub parent: Option<SpanId>,
    /// Start in nanoseconds since 1970.
    pub start: u64,
    /// Duration in nanoseconds; 0 when the clock went back.
    pub duration: u64,
    /// Operation.
    pub name: Box<str>,
    /// Service, resource and instrumentation scope.
    pub source: Arc<Source>,
    /// Role.
    pub kind: Kind,
    /// Whether its status is an error.
    pub error: bool,
    /// Whether it links to other spans.
    pub linked: bool,
    body: Box<[u8]>,
}

impl StoredSpan {
    /// Converts a received span; `None` if an id is not valid.
    #[must_use]
    pub fn new(mut span: Span, source: Arc<Source>) -> Option<(TraceId, Self)> {
        let trace = id::<16>(&span.trace_id)?;
        let own = id::<8>(&span.span_id)?;
        let parent = id::<8>(&span.parent_span_id);
        let (start, end) = (span.start_time_unix_nano, span.end_time_unix_nano);
        let (kind, error) = (span.kind().into(), is_error(&span));
        let name = std::mem::take(&mut span.name).into_boxed_str();
        // Decoded fields are not stored twice.
        for field in [&mut span.trace_id, &mut span.span_id, &mut span.parent_span_id] {
            field.clear();
        }
        (span.start_time_unix_nano, span.end_time_unix_nano) = (0, 0);
        let stored = Self {
            id: own,
            parent,
            start,
            duration: end.saturating_sub(start),
            name,
            source,
            kind,
            error,
            linked: !span.links.is_empty(),
            body: span.encode_to_vec().into_boxed_slice(),
        };
        Some((trace, stored))
    }

    /// Attributes, events, links, status and trace state; the other fields are empty.
    #[must_use]
    pub fn body(&self) -> Span {
        Span::decode(&*self.body).unwrap_or_default()
    }

    /// Bytes on the heap: name and body with what the allocator adds to each.
    pub(super) const fn payload(&self) -> usize {
        self.name.len() + self.body.len() + 2 * 16
    }

    pub(super) fn class(&self, slow: Duration) -> Class {
        if self.error || u128::from(self.duration) >= slow.as_nanos() { Class::Kept } else { Class::Ordinary }
    }
}

fn is_error(span: &Span) -> bool {
    span.status.as_ref().is_some_and(|status| status.code() == StatusCode::Error)
}

/// An id of exactly N bytes that is not all zero.
pub(crate) fn id<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok().filter(|id: &[u8; N]| id.iter().any(|byte| *byte != 0))
}
