//! Reads one user: cache-aside, with a policy for failures of the cache or the database.
//!
//! Fresh copy -> `hit`. None or expired -> one read of the database for all waiting callers, and a new copy -> `miss`. The
//! cache fails -> the database, with limited concurrency -> `bypass`. The database fails and there is an expired copy -> `stale`.

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use contracts::users::User;
use tokio::sync::{Semaphore, SemaphorePermit};
use uuid::Uuid;

use super::{
    Entry, LookupEvent, Protections, Source, UserCache, UserError, UserStore,
    flight::{Flights, Ticket},
};

#[cfg(test)]
mod tests;

/// Share by which `ttl-jitter` shortens or lengthens the time to expiry.
const JITTER: f64 = 0.2;

/// The parameters of the policy.
#[derive(Debug, Clone, Copy)]
pub struct LookupPolicy {
    /// How long a copy counts as fresh, before jitter.
    pub ttl: Duration,
    /// How long an absence is remembered.
    pub negative_ttl: Duration,
    /// How long a stale copy is kept.
    pub stale_for: Duration,
    /// How long a read of the database may take: well below the request's deadline, so that a stale copy can be served instead.
    pub origin_timeout: Duration,
    /// Concurrent reads past a failed cache at most.
    pub bypass_limit: usize,
    /// How long such a read waits for its turn.
    pub bypass_wait: Duration,
}

/// The source of a response: the `x-cache` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum CacheStatus {
    /// A fresh copy.
    Hit,
    /// The database, because there was no fresh copy.
    Miss,
    /// An expired copy, because the database failed.
    Stale,
    /// The database, because the cache failed.
    Bypass,
}

impl CacheStatus {
    /// Value of the header.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The result. `user: None`: there is no such user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The user.
    pub user: Option<User>,
    /// Its source.
    pub status: CacheStatus,
}

type Loaded = Result<Found, UserError>;

/// The policy over its two ports. Cheap to clone.
#[derive(Clone)]
pub struct Lookup<S, C> {
    store: S,
    cache: C,
    policy: LookupPolicy,
    flights: Flights<Uuid, Loaded>,
    bypass: Arc<Semaphore>,
}

impl<S: UserStore, C: UserCache> Lookup<S, C> {
    /// The policy over `store` and `cache`.
    #[must_use]
    pub fn new(store: S, cache: C, policy: LookupPolicy) -> Self {
        let bypass = Arc::new(Semaphore::new(policy.bypass_limit));
        Self { store, cache, policy, flights: Flights::new(), bypass }
    }

    /// One user, or the knowledge that there is none; `on` says which protections are in force.
    ///
    /// # Errors
    /// When the database fails and no copy can stand in, or too many reads go past a failed cache.
    pub async fn get(&self, id: Uuid, on: Protections) -> Result<Found, UserError> {
        let (expired, status) = match self.cache.get(id).await {
            Ok(Some(entry)) if entry.fresh_until > Utc::now() => {
                self.cache.record(LookupEvent::Hit);
                return Ok(Found { user: entry.user, status: CacheStatus::Hit });
            }
            Ok(entry) => {
                self.cache.record(LookupEvent::Miss);
                (entry, CacheStatus::Miss)
            }
            Err(_) => (None, CacheStatus::Bypass),
        };
        match (self.load(id, status, on).await, expired) {
            (Err(UserError::Unavailable(_) | UserError::Overloaded), Some(copy)) if on.stale_on_error => {
                self.cache.record(LookupEvent::StaleServed);
                Ok(Found { user: copy.user, status: CacheStatus::Stale })
            }
            (loaded, _) => loaded,
        }
    }

    /// Forgets what is known about `id`, after a change: the copy, and current reads that may return the old value.
    pub async fn invalidate(&self, id: Uuid) {
        self.flights.forget(&id);
        if self.cache.remove(id).await.is_err() {
            tracing::warn!(user_id = %id, "a cached user could not be removed and is old until it expires");
        }
        // A read that began between the two may have cached the old value again.
        self.flights.forget(&id);
    }

    async fn load(&self, id: Uuid, status: CacheStatus, on: Protections) -> Loaded {
        if !on.single_flight {
            return self.clone().read(id, status, on, None).await;
        }
        let seat = self.flights.board(id, |ticket| self.clone().read(id, status, on, Some(ticket)));
        if seat.joined {
            self.cache.record(LookupEvent::Coalesced);
        }
        seat.landing.await
    }

    /// Reads the database once and keeps a copy.
    async fn read(
        self,
        id: Uuid,
        status: CacheStatus,
        on: Protections,
        ticket: Option<Ticket<Uuid, Loaded>>,
    ) -> Loaded {
        // The previous flight may have landed between this caller's look at the cache and its own start.
        if ticket.is_some()
            && status == CacheStatus::Miss
            && let Ok(Some(entry)) = self.cache.get(id).await
            && entry.fresh_until > Utc::now()
        {
            return Ok(Found { user: entry.user, status: CacheStatus::Hit });
        }
        let bounded = status == CacheStatus::Bypass && on.bulkhead;
        let _turn = if bounded { Some(self.turn().await?) } else { None };
        self.cache.record(LookupEvent::OriginRead);
        let user = self.find(id, on).await?;
        let current = ticket.as_ref().is_none_or(Ticket::current);
        // A cache that has just failed would only cost its deadline again.
        if current && status != CacheStatus::Bypass {
            let (entry, keep) = self.entry(user.clone(), on);
            self.cache.put(id, entry, keep).await;
        }
        Ok(Found { user, status })
    }

    async fn find(&self, id: Uuid, on: Protections) -> Result<Option<User>, UserError> {
        if !on.timeout {
            return self.store.find(id).await;
        }
        let limit = self.policy.origin_timeout;
        tokio::time::timeout(limit, self.store.find(id))
            .await
            .unwrap_or_else(|late| Err(UserError::Unavailable(Source(Arc::new(late)))))
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, UserError> {
        match tokio::time::timeout(self.policy.bypass_wait, self.bypass.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => {
                self.cache.record(LookupEvent::BypassRefused);
                Err(UserError::Overloaded)
            }
        }
    }

    /// A new entry, and how long to keep it.
    fn entry(&self, user: Option<User>, on: Protections) -> (Entry, Duration) {
        let LookupPolicy { ttl, negative_ttl, stale_for, .. } = self.policy;
        let (fresh, extra) = if user.is_some() { (ttl, stale_for) } else { (negative_ttl, Duration::ZERO) };
        let spread = if on.ttl_jitter { rand::random_range(-JITTER..=JITTER) } else { 0.0 };
        let fresh = fresh.mul_f64(1.0 + spread);
        (Entry { user, fresh_until: Utc::now() + fresh }, fresh + extra)
    }
}
