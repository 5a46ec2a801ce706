//! How many users are active, over all replicas: counted in Redis once a second, for all requests of that second together.
//! A request never waits for it, and it fails alone: while Redis does not answer, the number is unknown.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use chassis_redis::{Cache, Window};
use chassis_telemetry::Chassis;
use parking_lot::Mutex;
use tokio::time::{MissedTickBehavior, interval};

use crate::domain::{ActiveUsers, minute};

/// How often users are counted.
const EVERY: Duration = Duration::from_secs(1);
/// How long a count holds: longer than a hiccup of Redis, shorter than anyone would trust an old number.
const HOLDS: Duration = Duration::from_secs(5);
/// A user counts as active for 15 minutes after a read. Minutes are those of the clock, and the current one counts as one.
const WINDOW: Window = Window { name: "active-users", slot: Duration::from_secs(60), slots: 15 };

/// The count and what keeps it. Cheap to clone.
#[derive(Clone)]
pub struct RedisUserCount {
    cache: Cache,
    users: ActiveUsers,
    last: Arc<Mutex<Option<(Instant, u64)>>>,
}

impl RedisUserCount {
    /// Counts what is recorded in `users`.
    #[must_use]
    pub fn new(cache: Cache, users: ActiveUsers) -> Self {
        Self { cache, users, last: Arc::default() }
    }

    /// The number of active users; `None` if Redis has not answered for a while.
    #[must_use]
    pub fn known(&self) -> Option<u64> {
        self.last.lock().filter(|(at, _)| at.elapsed() < HOLDS).map(|(_, count)| count)
    }

    /// Counts once.
    pub async fn count(&self) {
        let (now, seen) = (minute(), self.users.take());
        let covered = WINDOW.covered(now);
        let members: BTreeMap<u64, Vec<Vec<u8>>> = seen
            .iter()
            .filter(|(minute, _)| covered.contains(*minute))
            .map(|(minute, ids)| (*minute, ids.iter().map(|id| id.as_bytes().to_vec()).collect()))
            .collect();
        match self.cache.count_distinct(WINDOW, now, &members).await {
            Ok(count) => *self.last.lock() = Some((Instant::now(), count)),
            Err(error) => {
                // Not a warning: lookups at the same moment report that Redis fails.
                tracing::debug!(%error, "active users not counted");
                self.users.put_back(seen);
            }
        }
    }

    /// Counts until the process stops, and then what the last requests have left.
    pub async fn keep(self, chassis: Chassis) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while chassis.shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
            self.count().await;
        }
        self.count().await;
    }
}
