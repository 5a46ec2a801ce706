//! The data behind the lock: traces, their order, their sources, and their size.

use std::{collections::HashMap, sync::Arc, time::Duration};

use super::{Source, StoredSpan, Trace, TraceId, Usage, queues::Queues, source::Sources};

/// One trace may take one eighth of the limit; a runaway trace must not evict all others.
const LARGEST_TRACE: usize = 8;

#[derive(Default)]
pub(super) struct State {
    traces: HashMap<TraceId, Arc<Trace>>,
    queues: Queues,
    sources: Sources,
    next_sequence: u64,
    spans: usize,
}

impl State {
    pub(super) fn intern(&mut self, source: Source) -> Arc<Source> {
        self.sources.intern(source)
    }

    pub(super) fn release(&mut self, source: &Arc<Source>, uses: usize) {
        self.sources.release(source, uses);
    }

    /// Adds a span to its trace; `false` if that trace has reached its share of `limit`.
    pub(super) fn put(&mut self, id: TraceId, span: StoredSpan, slow: Duration, limit: usize) -> bool {
        let mut trace = match self.traces.remove(&id) {
            Some(trace) => {
                self.queues.remove(trace.class, trace.sequence, trace.bytes());
                trace
            }
            None => {
                self.next_sequence += 1;
                Arc::new(Trace::new(id, self.next_sequence))
            }
        };
        let fits = trace.bytes() + span.payload() <= limit / LARGEST_TRACE;
        if fits {
            self.sources.reuse(&span.source);
            // A query that is still reading the trace keeps its own copy.
            let trace = Arc::make_mut(&mut trace);
            trace.class = trace.class.max(span.class(slow));
            match trace.put(span) {
                Some(replaced) => self.sources.release(&replaced.source, 1),
                None => self.spans += 1,
            }
        }
        self.queues.add(trace.class, trace.sequence, id, trace.bytes());
        self.traces.insert(id, trace);
        fits
    }

    /// Evicts until everything takes at most `limit` bytes.
    pub(super) fn make_room(&mut self, limit: usize) {
        while self.bytes() > limit {
            let Some(id) = self.queues.next_victim(limit / 4 * 3) else { return };
            let Some(trace) = self.traces.remove(&id) else { return };
            self.queues.remove(trace.class, trace.sequence, trace.bytes());
            self.queues.count_eviction(trace.class);
            self.spans -= trace.spans().len();
            for span in trace.spans() {
                self.sources.release(&span.source, 1);
            }
        }
    }

    pub(super) fn get(&self, id: TraceId) -> Option<Arc<Trace>> {
        self.traces.get(&id).cloned()
    }

    pub(super) fn all(&self) -> Vec<Arc<Trace>> {
        self.traces.values().cloned().collect()
    }

    pub(super) fn usage(&self) -> Usage {
        Usage {
            bytes: self.bytes(),
            spans: self.spans,
            traces: self.queues.lengths(),
            evicted: self.queues.evicted(),
        }
    }

    fn bytes(&self) -> usize {
        self.queues.bytes() + self.sources.bytes()
    }
}
