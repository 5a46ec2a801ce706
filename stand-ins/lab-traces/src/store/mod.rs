//! Traces in memory, never more than a limit of bytes.
//!
//! When the limit is reached the oldest traces go, ordinary ones first: a trace with an error or with a slow span is what
//! somebody will look for. But such traces may fill at most three quarters, or a bad hour would leave no room for a trace
//! that is being looked at right now.

mod queues;
mod source;
mod span;
mod state;
#[cfg(test)]
mod tests;
mod trace;

use std::{
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
    time::Duration,
};

use opentelemetry_proto::tonic::trace::v1::ResourceSpans;

pub use queues::Class;
pub use source::Source;
pub use span::{Kind, SpanId, StoredSpan, TraceId};
use state::State;
pub use trace::Trace;

/// What a batch came to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Spans that were taken.
    pub accepted: u64,
    /// Spans without a valid trace id or span id.
    pub invalid: u64,
    /// Spans of a trace that has reached its share of the limit.
    pub oversized: u64,
}

/// Figures for the metrics, by [`Class`] where it says so.
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
    /// A store of at most `limit` bytes, in which a span of at least `slow` makes its trace worth keeping.
    #[must_use]
    pub fn new(limit: usize, slow: Duration) -> Self {
        Self { limit, slow, state: RwLock::default() }
    }

    /// The limit in bytes.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// Takes a batch in, and evicts what no longer fits.
    pub fn insert(&self, batch: Vec<ResourceSpans>) -> Received {
        let mut received = Received::default();
        for group in batch {
            let resource = group.resource.unwrap_or_default();
            for scoped in group.scope_spans {
                let source = Source::new(&resource, &scoped.scope.unwrap_or_default());
                // The lock is taken for a group, not for the batch: queries get their turn in between.
                let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
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

    /// All traces as they are now. Costs a reference each, and the lock for that time only.
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
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}
