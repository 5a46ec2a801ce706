//! Whose turn it is, noted on the connection by what holds the turn: a request that runs, a body that is waited for.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use super::State;

/// A request from its head to its answer's last byte; dropped early when the connection ends.
pub(crate) struct Turn {
    state: Arc<State>,
    answering: bool,
}

impl Turn {
    pub(crate) fn begin(state: &Arc<State>) -> Self {
        state.running.fetch_add(1, Relaxed);
        state.called.store(true, Relaxed);
        state.head.store(false, Relaxed);
        state.keep();
        Self { state: Arc::clone(state), answering: false }
    }

    /// The answer is there; what is left is to send it.
    pub(crate) fn answers(mut self) -> Self {
        self.state.answering.fetch_add(1, Relaxed);
        self.state.running.fetch_sub(1, Relaxed);
        self.answering = true;
        self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let state = &self.state;
        state.since.store(state.clock.now(), Relaxed);
        if self.answering {
            state.answering.fetch_sub(1, Relaxed);
        } else {
            state.running.fetch_sub(1, Relaxed);
        }
    }
}

/// A body of which more must come.
pub(crate) struct Waiting(Arc<State>);

impl Waiting {
    pub(crate) fn begin(state: &Arc<State>) -> Self {
        state.reading.fetch_add(1, Relaxed);
        Self(Arc::clone(state))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.reading.fetch_sub(1, Relaxed);
    }
}
