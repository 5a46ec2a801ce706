//! One trace: spans in the order of their ids, and their size.

use super::{Class, SpanId, StoredSpan, TraceId};

/// Bytes in addition to the spans: entries in the map and the queue with their spare room, and the counters of the `Arc`.
const OVERHEAD: usize = 3 * (size_of::<TraceId>() + size_of::<u64>()) + 48 + size_of::<Trace>();

/// The spans of one trace that have arrived so far.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Its id.
    pub id: TraceId,
    pub(super) class: Class,
    /// Position in the order of arrival.
    pub(super) sequence: u64,
    spans: Vec<StoredSpan>,
    payload: usize,
}

impl Trace {
    pub(super) const fn new(id: TraceId, sequence: u64) -> Self {
        Self { id, class: Class::Ordinary, sequence, spans: Vec::new(), payload: 0 }
    }

    /// Its spans, in the order of their ids.
    #[must_use]
    pub fn spans(&self) -> &[StoredSpan] {
        &self.spans
    }

    /// The span with this id.
    #[must_use]
    pub fn span(&self, id: SpanId) -> Option<&StoredSpan> {
        self.spans.binary_search_by_key(&id, |span| span.id).ok().map(|at| &self.spans[at])
    }

    /// When its first span started, nanoseconds since 1970.
    #[must_use]
    pub fn start(&self) -> u64 {
        self.spans.iter().map(|span| span.start).min().unwrap_or(0)
    }

    /// Its size in bytes.
    pub(super) const fn bytes(&self) -> usize {
        OVERHEAD + self.spans.capacity() * size_of::<StoredSpan>() + self.payload
    }

    /// Adds a span, or replaces and returns the one with the same id (an exporter that retries sends twice).
    pub(super) fn put(&mut self, span: StoredSpan) -> Option<StoredSpan> {
        self.payload += span.payload();
        match self.spans.binary_search_by_key(&span.id, |known| known.id) {
            Ok(at) => {
                let old = std::mem::replace(&mut self.spans[at], span);
                self.payload -= old.payload();
                Some(old)
            }
            Err(at) => {
                self.spans.insert(at, span);
                None
            }
        }
    }
}
