//! Copies of users in Redis, as JSON with the time at which they become stale.

use std::time::Duration;

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
    metrics: LookupMetrics,
}

impl RedisUserCache {
    /// On an open cache.
    #[must_use]
    pub const fn new(cache: Cache, metrics: LookupMetrics) -> Self {
        Self { cache, metrics }
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
            LookupEvent::OriginRead => self.metrics.cache_origin_reads_total.inc(),
            LookupEvent::Coalesced => self.metrics.cache_coalesced_total.inc(),
            LookupEvent::StaleServed => self.metrics.cache_stale_served_total.inc(),
            LookupEvent::BypassRefused => self.metrics.cache_bypass_refused_total.inc(),
        }
    }
}
