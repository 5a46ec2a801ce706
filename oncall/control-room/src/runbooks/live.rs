//! A run that is not over, as this process has it.

use std::sync::{Arc, atomic::AtomicBool};

use parking_lot::Mutex;
use runbook::Run;
use tokio::sync::Notify;

/// A run that is not over.
pub(super) struct Live {
    pub(super) number: i64,
    pub(super) held: Mutex<Held>,
    /// Whether an earlier process began it, and this one has not looked at it yet.
    pub(super) stale: AtomicBool,
    /// Somebody has done something to it.
    pub(super) wake: Notify,
}

/// A run as it is committed.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) run: Run,
    /// How many events it has.
    pub(super) events: i64,
}

impl Live {
    /// One that begins now.
    pub(super) fn new(number: i64, run: Run) -> Arc<Self> {
        Self::of(number, Held { run, events: 1 }, false)
    }

    /// One that an earlier process began.
    pub(super) fn found(number: i64, run: Run, events: i64) -> Arc<Self> {
        Self::of(number, Held { run, events }, true)
    }

    fn of(number: i64, held: Held, stale: bool) -> Arc<Self> {
        Arc::new(Self { number, held: Mutex::new(held), stale: AtomicBool::new(stale), wake: Notify::new() })
    }

    /// The run as it is now.
    pub(super) fn run(&self) -> Run {
        self.held.lock().run.clone()
    }

    pub(super) fn held(&self) -> Held {
        self.held.lock().clone()
    }
}
