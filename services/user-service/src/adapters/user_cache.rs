//! Copies of users in Redis, as JSON with the time at which they become stale.

use std::time::Duration;

use chassis_faults::protection::{Protection, Protections};
use chassis_redis::{Cache, CacheTargets};
use chrono::Utc;
use uuid::Uuid;

use crate::{
    domain::{CacheFailure, Entry, LookupEvent, UserCache},
    metrics::LookupMetrics,
};

/// What the cache needs to know about its entries: they may have a picture attached, which this service does not use.
pub const CACHE: CacheTargets = CacheTargets { prefix: "users:", attachment: "avatar" };
/// How long an entry that is treated as fresh counts as fresh.
const AS_FRESH: Duration = Duration::from_secs(1);

/// [`UserCache`] in Redis. Cheap to clone.
#[derive(Clone)]
pub struct RedisUserCache {
    cache: Cache,
    protections: Protections,
    metrics: LookupMetrics,
}

impl RedisUserCache {
    /// On an open cache.
    #[must_use]
    pub const fn new(cache: Cache, protections: Protections, metrics: LookupMetrics) -> Self {
        Self { cache, protections, metrics }
    }
}

fn key(id: Uuid) -> String {
    format!("{}{id}", CACHE.prefix)
}

impl UserCache for RedisUserCache {
    async fn get(&self, id: Uuid) -> Result<Option<Entry>, CacheFailure> {
        let Some(bytes) = self.cache.get(&key(id)).await.map_err(|_| CacheFailure)? else { return Ok(None) };
        // Unreadable (another version wrote it): treated as absent, and the next write replaces it.
        let Ok(mut entry) = serde_json::from_slice::<Entry>(&bytes) else { return Ok(None) };
        if self.cache.expiry_suspended() {
            entry.fresh_until = entry.fresh_until.max(Utc::now() + AS_FRESH);
        }
        Ok(Some(entry))
    }

    async fn put(&self, id: Uuid, entry: Entry, keep: Duration) {
        if let Ok(bytes) = serde_json::to_vec(&entry) {
            // The cache has counted and logged its failure; the caller already has the response.
            let _ = self.cache.set(&key(id), &bytes, keep).await;
        }
    }

    async fn remove(&self, id: Uuid) -> Result<(), CacheFailure> {
        self.cache.delete(&key(id)).await.map_err(|_| CacheFailure)
    }

    fn record(&self, event: LookupEvent) {
        match event {
            LookupEvent::Hit => self.cache.record(true),
            LookupEvent::Miss => self.cache.record(false),
            LookupEvent::OriginRead => self.metrics.origin_reads.inc(),
            LookupEvent::Coalesced => self.metrics.coalesced.inc(),
            LookupEvent::StaleServed => self.metrics.stale_served.inc(),
            LookupEvent::BypassRefused => self.metrics.bypass_refused.inc(),
        }
    }

    fn single_flight(&self) -> bool {
        self.protections.on(Protection::SingleFlight) && !self.cache.coalescing_suspended()
    }

    fn ttl_jitter(&self) -> bool {
        self.protections.on(Protection::TtlJitter)
    }

    fn stale_on_error(&self) -> bool {
        self.protections.on(Protection::StaleOnError)
    }

    fn bulkhead(&self) -> bool {
        self.protections.on(Protection::Bulkhead)
    }

    fn timeout(&self) -> bool {
        self.protections.on(Protection::Timeout)
    }
}
