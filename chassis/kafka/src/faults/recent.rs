//! The latest messages, and the topics that this process uses: material for realistic traffic.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::super::OutMessage;

/// Number of messages kept, and the largest size kept, in bytes.
const KEPT: usize = 64;
const LARGEST: usize = 64 << 10;

/// The latest messages. Empty, and without cost, if no fault needs them.
#[derive(Default)]
pub(crate) struct Recent {
    wanted: bool,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    topics: BTreeSet<String>,
    messages: VecDeque<OutMessage>,
}

impl Recent {
    pub(super) fn new(wanted: bool) -> Self {
        Self { wanted, memory: Mutex::default() }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a topic that this process produces or consumes.
    pub(crate) fn know(&self, topic: &str) {
        self.memory().topics.insert(topic.to_owned());
    }

    /// Keeps a message.
    pub(crate) fn remember(&self, message: &OutMessage) {
        if !self.wanted || message.payload.len() > LARGEST {
            return;
        }
        let mut memory = self.memory();
        if memory.messages.len() == KEPT {
            memory.messages.pop_front();
        }
        memory.messages.push_back(message.clone());
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
