//! What the messages of one partition have in common while they are under way.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Messages of one partition under way at once, each of another key.
pub(super) const WINDOW: usize = 16;

/// The messages of one partition that are under way.
#[derive(Default)]
pub(super) struct Window {
    /// How many of them wait for another attempt.
    stuck: AtomicUsize,
    /// Held by the message that a slow consumer is busy with.
    pub(super) busy: tokio::sync::Mutex<()>,
}

impl Window {
    /// No other message is started until the value returned is dropped.
    pub(super) fn stick(&self) -> impl Drop + '_ {
        self.stuck.fetch_add(1, Ordering::SeqCst);
        Stuck(self)
    }

    /// Whether one of them waits for another attempt.
    pub(super) fn is_stuck(&self) -> bool {
        self.stuck.load(Ordering::SeqCst) > 0
    }
}

struct Stuck<'a>(&'a Window);

impl Drop for Stuck<'_> {
    fn drop(&mut self) {
        self.0.stuck.fetch_sub(1, Ordering::SeqCst);
    }
}
