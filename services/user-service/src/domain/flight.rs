//! Single-flight: concurrent calls for one key share one execution.
//!
//! Invariant: a call that starts after [`Flights::forget`] never shares a result that was computed before it.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};
use parking_lot::{Mutex, MutexGuard};

type Flight<V> = BoxFuture<'static, V>;

/// The current flights. Cheap to clone.
pub(crate) struct Flights<K, V: Clone> {
    open: Arc<Mutex<Open<K, V>>>,
}

struct Open<K, V: Clone> {
    // Weak: if every caller is gone (timeout, closed connection), nobody drives the work and it is dropped.
    flights: HashMap<K, (u64, WeakShared<Flight<V>>)>,
    started: u64,
}

impl<K, V: Clone> Clone for Flights<K, V> {
    fn clone(&self) -> Self {
        Self { open: Arc::clone(&self.open) }
    }
}

/// A caller's share in a flight.
pub(crate) struct Seat<V: Clone> {
    /// Resolves with the shared result.
    pub(crate) landing: Shared<Flight<V>>,
    /// Whether another caller started it.
    pub(crate) joined: bool,
}

impl<K: Clone + Eq + Hash + Send + 'static, V: Clone + Send + Sync + 'static> Flights<K, V> {
    pub(crate) fn new() -> Self {
        Self { open: Arc::new(Mutex::new(Open { flights: HashMap::new(), started: 0 })) }
    }

    /// Joins the flight of `key`, or starts one with `work`, which can ask at its end whether it is still current.
    pub(crate) fn board<F>(&self, key: K, work: impl FnOnce(Ticket<K, V>) -> F) -> Seat<V>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let mut open = self.lock();
        if let Some(landing) = open.flights.get(&key).and_then(|(_, flight)| flight.upgrade()) {
            return Seat { landing, joined: true };
        }
        open.started += 1;
        let number = open.started;
        let ticket = Ticket { flights: self.clone(), key: key.clone(), number };
        let landing = work(ticket).boxed().shared();
        // A flight that has not been polled yet always has a weak handle.
        if let Some(weak) = landing.downgrade() {
            open.flights.insert(key, (number, weak));
        }
        Seat { landing, joined: false }
    }

    /// Later callers for `key` start a new flight; the current one learns it from its [`Ticket`].
    pub(crate) fn forget(&self, key: &K) {
        self.lock().flights.remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, Open<K, V>> {
        self.open.lock()
    }
}

/// A flight's own entry: removed when the flight has finished or was abandoned.
pub(crate) struct Ticket<K: Clone + Eq + Hash + Send + 'static, V: Clone + Send + Sync + 'static> {
    flights: Flights<K, V>,
    key: K,
    number: u64,
}

impl<K: Clone + Eq + Hash + Send + 'static, V: Clone + Send + Sync + 'static> Ticket<K, V> {
    /// Whether the flight has not been forgotten.
    pub(crate) fn current(&self) -> bool {
        self.flights.lock().flights.get(&self.key).is_some_and(|(number, _)| *number == self.number)
    }
}

impl<K: Clone + Eq + Hash + Send + 'static, V: Clone + Send + Sync + 'static> Drop for Ticket<K, V> {
    fn drop(&mut self) {
        let mut open = self.flights.lock();
        if open.flights.get(&self.key).is_some_and(|(number, _)| *number == self.number) {
            open.flights.remove(&self.key);
        }
    }
}
