//! Which client speaks for the member now. A client that cannot find its group any more, or gets no answer from it, is
//! replaced (`life.rs`), and the callbacks of the old one, which takes its time to close, must not count.
//!
//! Generic over the client's context, which has a session in it: so the types know each other, as librdkafka requires, and the
//! files do not.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use parking_lot::{Mutex, MutexGuard};
use rdkafka::consumer::{ConsumerContext, StreamConsumer};
use tokio::sync::Notify;

use super::join::Join;

/// The client now, and what is known of it.
pub(super) struct Session<C: ConsumerContext> {
    /// Weak: the client owns this through its context.
    client: Mutex<Weak<StreamConsumer<C>>>,
    /// Counts the clients.
    number: AtomicU64,
    /// Whether it is connected to the group's coordinator.
    coordinator: AtomicBool,
    /// Whether it waits for the answer to a join.
    pub(super) join: Join,
    replace: Notify,
}

impl<C: ConsumerContext> Default for Session<C> {
    fn default() -> Self {
        Self {
            client: Mutex::default(),
            number: AtomicU64::new(0),
            coordinator: AtomicBool::new(false),
            join: Join::default(),
            replace: Notify::new(),
        }
    }
}

impl<C: ConsumerContext> Session<C> {
    fn slot(&self) -> MutexGuard<'_, Weak<StreamConsumer<C>>> {
        self.client.lock()
    }

    /// Ends the session of the client before; the number is that of the next one.
    pub(super) fn renew(&self) -> u64 {
        self.coordinator_is(false);
        self.join.over();
        self.number.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// Whether the client with this number is the current one.
    pub(super) fn is_current(&self, number: u64) -> bool {
        self.number.load(Ordering::SeqCst) == number
    }

    /// This is the client now.
    pub(super) fn attach(&self, client: &Arc<StreamConsumer<C>>) {
        *self.slot() = Arc::downgrade(client);
    }

    /// The client, while it runs.
    pub(super) fn client(&self) -> Option<Arc<StreamConsumer<C>>> {
        self.slot().upgrade()
    }

    /// Notes whether the client is connected to the group's coordinator.
    pub(super) fn coordinator_is(&self, up: bool) {
        self.coordinator.store(up, Ordering::SeqCst);
    }

    /// Whether the client is connected to the group's coordinator.
    pub(super) fn has_coordinator(&self) -> bool {
        self.coordinator.load(Ordering::SeqCst)
    }

    /// Asks for another client.
    pub(super) fn replace(&self) {
        self.replace.notify_one();
    }

    /// Waits until somebody does.
    pub(super) async fn must_be_replaced(&self) {
        self.replace.notified().await;
    }
}
