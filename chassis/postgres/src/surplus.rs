//! What a pool opened for a peak is closed again soon after it: each connection is a process of the server, with
//! memory of its own.
//!
//! The pool takes the connection that has idled longest. Under steady traffic none idles until its timeout, so one
//! moment in which the disk was slow would keep all connections open for the rest of their lifetime.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use sqlx::PgPool;
use tokio::time::{sleep, timeout};

use chassis_telemetry::Chassis;

/// How often connections that were not needed are closed.
const EVERY: Duration = Duration::from_secs(30);
/// One operation in 100 may find all connections in use. It waits for one that comes back, or for a new one.
const RARE: u64 = 100;
/// How long a server that hangs may delay the next connection to close.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many operations began with how many connections in use, their own included. Cheap to clone.
#[derive(Clone)]
pub(super) struct Demand(Arc<[AtomicU32]>);

impl Demand {
    /// Of a pool of at most `size` connections.
    pub(super) fn new(size: u32) -> Self {
        Self((0..size).map(|_| AtomicU32::new(0)).collect())
    }

    /// An operation begins, with which `taken` connections are in use.
    pub(super) fn count(&self, taken: u32) {
        if let Some(count) = taken.checked_sub(1).and_then(|index| self.0.get(index as usize)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many connections were enough since the last call, for all but one in [`RARE`] operations.
    fn enough(&self) -> u32 {
        let counts: Vec<u32> = self.0.iter().map(|count| count.swap(0, Ordering::Relaxed)).collect();
        enough(&counts)
    }
}

/// `counts[n]` operations began with `n + 1` connections in use.
fn enough(counts: &[u32]) -> u32 {
    let mut spare = counts.iter().map(|count| u64::from(*count)).sum::<u64>() / RARE;
    let mut enough = counts.len();
    for count in counts.iter().rev() {
        match spare.checked_sub(u64::from(*count)) {
            Some(rest) => spare = rest,
            None => break,
        }
        enough -= 1;
    }
    u32::try_from(enough).unwrap_or(u32::MAX)
}

/// Closes idle connections that were not needed since the last call; at least `least` stay open.
pub(super) async fn close(pool: &PgPool, demand: &Demand, least: u32) {
    let keep = demand.enough().max(least);
    while pool.size() > keep {
        let Some(conn) = pool.try_acquire() else { return };
        // It has left the pool, whatever the server says.
        let _ = timeout(PATIENCE, conn.close()).await;
    }
}

/// Closes them until the process stops.
pub(super) fn watch(pool: &PgPool, demand: &Demand, least: u32, chassis: &Chassis) {
    let (pool, demand, stop) = (pool.clone(), demand.clone(), chassis.shutdown.clone());
    chassis.spawn(async move {
        while stop.run_until_cancelled(sleep(EVERY)).await.is_some() {
            close(&pool, &demand, least).await;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_is_what_all_but_one_percent_of_operations_needed() {
        assert_eq!(enough(&[0, 0, 0]), 0, "nothing was done");
        assert_eq!(enough(&[5, 0, 0]), 1);
        assert_eq!(enough(&[0, 0, 1]), 3, "one of one is not rare");
        assert_eq!(enough(&[900, 90, 9, 1]), 2, "ten of a thousand are");
        assert_eq!(enough(&[900, 89, 10, 1]), 3);
    }

    #[test]
    fn demand_is_counted_from_one_call_to_the_next() {
        let demand = Demand::new(2);
        demand.count(0);
        demand.count(2);
        demand.count(3);
        assert_eq!(demand.enough(), 2);
        assert_eq!(demand.enough(), 0);
    }
}
