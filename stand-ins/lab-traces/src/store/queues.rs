//! The order in which traces are evicted.

use std::collections::BTreeMap;

use super::{Class, TraceId};

/// Traces by class in the order of their arrival, and the size of each class.
#[derive(Debug, Default)]
pub(super) struct Queues {
    waiting: [BTreeMap<u64, TraceId>; 2],
    bytes: [usize; 2],
    evicted: [u64; 2],
}

impl Queues {
    pub(super) fn add(&mut self, class: Class, sequence: u64, id: TraceId, bytes: usize) {
        self.waiting[class as usize].insert(sequence, id);
        self.bytes[class as usize] += bytes;
    }

    pub(super) fn remove(&mut self, class: Class, sequence: u64, bytes: usize) {
        self.waiting[class as usize].remove(&sequence);
        self.bytes[class as usize] -= bytes;
    }

    pub(super) fn count_eviction(&mut self, class: Class) {
        self.evicted[class as usize] += 1;
    }

    /// The oldest trace of the class to evict: ordinary, unless the kept ones fill more than `kept_share`.
    pub(super) fn next_victim(&self, kept_share: usize) -> Option<TraceId> {
        let [ordinary, kept] = &self.waiting;
        let first = |queue: &BTreeMap<u64, TraceId>| queue.first_key_value().map(|(_, id)| *id);
        if self.bytes[Class::Kept as usize] > kept_share {
            first(kept).or_else(|| first(ordinary))
        } else {
            first(ordinary).or_else(|| first(kept))
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.iter().sum()
    }

    pub(super) fn lengths(&self) -> [usize; 2] {
        [self.waiting[0].len(), self.waiting[1].len()]
    }

    pub(super) const fn evicted(&self) -> [u64; 2] {
        self.evicted
    }
}
