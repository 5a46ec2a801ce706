//! Traces in memory, within a limit in bytes.
//!
//! At the limit the oldest traces are dropped, ordinary ones first: a trace with an error or a slow span is likely to be
//! searched for. But such traces may fill at most three quarters, or an outage would leave no room for the trace of a
//! request that was just sent.

mod class;
mod queues;
mod source;
mod span;
mod state;
#[cfg(test)]
mod tests;
mod trace;

use std::{sync::Arc, time::Duration};

use opentelemetry_proto::tonic::trace::v1::ResourceSpans;

pub use class::Class;
use parking_lot::{RwLock, RwLockReadGuard};
pub use source::Source;
pub use span::{Kind, SpanId, StoredSpan, TraceId};
use state::State;
pub use trace::Trace;

/// The result of a batch.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Spans that were stored.
    pub accepted: u64,
    /// Spans without a valid trace id or span id.
    pub invalid: u64,
    /// Spans of a trace that has reached its share of the limit.
    pub oversized: u64,
}

/// Figures for the metrics; arrays are by [`Class`].
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Bytes held.
    pub bytes: usize,
    /// Spans held.
    pub spans: usize,
    /// Traces held, by class.
    pub traces: [usize; 2],
    /// Traces evicted so far, by class.
    pub evicted: [u64; 2],
}

/// The store. Shared behind an `Arc`.
pub struct Store {
    limit: usize,
    slow: Duration,
    state: RwLock<State>,
}

impl Store {
    /// A store of at most `limit` bytes, in which a span of at least `slow` keeps its trace longer.
    #[must_use]
    pub fn new(limit: usize, slow: Duration) -> Self {
        Self { limit, slow, state: RwLock::default() }
    }

    /// The limit in bytes.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Stores a batch, and evicts traces that no longer fit.
    pub fn insert(&self, batch: Vec<ResourceSpans>) -> Received {
        let mut received = Received::default();
        for group in batch {
            let resource = group.resource.unwrap_or_default();
            for scoped in group.scope_spans {
                let source = Source::new(&resource, &scoped.scope.unwrap_or_default());
                // The lock is taken per group, not per batch, so that queries can run in between.
                let mut state = self.state.write();
                let source = state.intern(source);
                for span in scoped.spans {
                    let Some((id, span)) = StoredSpan::new(span, Arc::clone(&source)) else {
                        received.invalid += 1;
                        continue;
                    };
                    if state.put(id, span, self.slow, self.limit) {
                        received.accepted += 1;
                    } else {
                        received.oversized += 1;
                    }
                }
                state.release(&source, 1);
                state.make_room(self.limit);
            }
        }
        received
    }

    /// One trace.
    #[must_use]
    pub fn get(&self, id: TraceId) -> Option<Arc<Trace>> {
        self.read().get(id)
    }

    /// All traces as they are now. Costs one reference each, and holds the lock only for that.
    #[must_use]
    pub fn snapshot(&self) -> Vec<Arc<Trace>> {
        self.read().all()
    }

    /// Figures for the metrics.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.read().usage()
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read()
    }
}
