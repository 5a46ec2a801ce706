//! Messages that passed lately, and the topics that this process has to do with: raw material for traffic that looks real.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::atomic::{AtomicUsize, Ordering},
};

use parking_lot::{Mutex, MutexGuard};

use crate::catalogue::{POISON_MESSAGE, QUEUE_FLOOD};
use chassis_faults::Faults;

use super::OutMessage;

/// Messages kept, and the largest that is.
const KEPT: usize = 64;
const LARGEST: usize = 64 << 10;
/// Once the memory is full, one message in this many is kept: copies of all of them would cost a good part of what handling
/// them does. A prime number, so that topics that take turns are all in it.
const ONE_IN: usize = 17;

/// A short memory. Empty, and free of cost, where no fault needs it.
#[derive(Default)]
pub(super) struct Recent {
    wanted: bool,
    passed: AtomicUsize,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    topics: BTreeSet<String>,
    messages: VecDeque<OutMessage>,
}

impl Recent {
    /// Remembers where a fault of this process makes traffic.
    pub(super) fn for_faults(faults: &Faults) -> Self {
        let wanted = faults.declares(&QUEUE_FLOOD) || faults.declares(&POISON_MESSAGE);
        Self { wanted, ..Self::default() }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock()
    }

    /// Adds a topic that this process produces or consumes.
    pub(super) fn know(&self, topic: &str) {
        self.memory().topics.insert(topic.to_owned());
    }

    /// Keeps the message that `copy` makes, of `size` bytes, if it is one of those that are kept.
    pub(super) fn remember(&self, size: usize, copy: impl FnOnce() -> OutMessage) {
        if !self.wanted || size > LARGEST {
            return;
        }
        let passed = self.passed.fetch_add(1, Ordering::Relaxed);
        if passed >= KEPT && !passed.is_multiple_of(ONE_IN) {
            return;
        }
        let message = copy();
        let mut memory = self.memory();
        if memory.messages.len() == KEPT {
            memory.messages.pop_front();
        }
        memory.messages.push_back(message);
    }

    /// The topics known, in alphabetical order.
    pub(super) fn topics(&self) -> Vec<String> {
        self.memory().topics.iter().cloned().collect()
    }

    /// All messages kept, oldest first.
    pub(super) fn all(&self) -> Vec<OutMessage> {
        self.memory().messages.iter().cloned().collect()
    }

    /// The last message of `topic`.
    pub(super) fn last_of(&self, topic: &str) -> Option<OutMessage> {
        self.memory().messages.iter().rev().find(|message| message.topic == topic).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(recent: &Recent, topic: &str, key: usize) {
        recent.remember(1, || OutMessage {
            topic: topic.to_owned(),
            key: key.to_string(),
            ..OutMessage::default()
        });
    }

    #[test]
    fn of_a_long_stream_late_messages_of_each_topic_are_kept() {
        let recent = Recent { wanted: true, ..Recent::default() };
        for key in 0..10_000 {
            for topic in ["one", "other"] {
                pass(&recent, topic, key);
            }
        }
        assert_eq!(recent.all().len(), KEPT);
        for topic in ["one", "other"] {
            let last: usize = recent.last_of(topic).expect("one").key.parse().expect("a number");
            assert!(last >= 10_000 - ONE_IN, "{topic} {last}");
        }
    }

    #[test]
    fn nothing_is_copied_where_no_fault_wants_it() {
        let recent = Recent::default();
        recent.remember(1, || unreachable!("a copy"));
        assert!(recent.all().is_empty());
    }
}
