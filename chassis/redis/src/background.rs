//! Cache faults that act on Redis itself, in addition to the service's operations: mass expiry, a hot key, growth.
//!
//! They use the service's connection on purpose: the load on it is part of the effect.

use std::time::Duration;

use futures::{StreamExt, stream};
use redis::RedisResult;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::Cache;
use crate::catalogue::{
    CACHE_GROWTH, CACHE_HOT_KEY, CACHE_STAMPEDE, CacheGrowth, CacheHotKey, CacheStampede,
};
use chassis_faults::{Fault, FaultPoint, Params, Strike};
use chassis_telemetry::Chassis;

/// Interval between batches of background work.
const BATCH: Duration = Duration::from_millis(50);
/// Concurrent reads of the hot key: bounds their memory in this process.
const AT_ONCE: usize = 32;
/// Time between two steps of growth, as in the fault's catalogue row.
const GROWTH_STEP: Duration = Duration::from_millis(100);
/// How long Redis keeps entries of growth that could not be removed because the process was killed.
const KEPT: Duration = Duration::from_secs(3600);
/// Size of one entry that growth writes.
const ENTRY: usize = 16 << 10;
/// Keys scanned or removed per command.
const SCAN_COUNT: usize = 500;

/// Starts the task of each fault that the service declares.
pub(super) fn start(cache: &Cache, chassis: &Chassis) {
    follow(cache, chassis, &CACHE_STAMPEDE, stampede);
    follow(cache, chassis, &CACHE_HOT_KEY, hot_key);
    follow(cache, chassis, &CACHE_GROWTH, growth);
}

fn follow<P: Params, W>(
    cache: &Cache,
    chassis: &Chassis,
    fault: &Fault<P>,
    work: impl Fn(Cache, Plan<P>) -> W + Send + 'static,
) where
    W: Future<Output = ()> + Send + 'static,
{
    let Some(point) = chassis.faults.find(fault) else { return };
    let (cache, shutdown) = (cache.clone(), chassis.shutdown.clone());
    chassis.spawn(async move {
        // Each round ends with its plan or with the process, and cleans up after itself.
        while let Some(strike) = shutdown.run_until_cancelled(point.started()).await {
            let plan = Plan { point: point.clone(), strike, shutdown: shutdown.clone() };
            work(cache.clone(), plan).await;
        }
    });
}

/// One plan of a fault, from its start to its end.
struct Plan<P> {
    point: FaultPoint<P>,
    strike: Strike<P>,
    shutdown: CancellationToken,
}

impl<P: Params> Plan<P> {
    /// Does `work` until the plan or the process ends.
    async fn during(&self, work: impl Future<Output = ()>) {
        tokio::select! {
            () = self.shutdown.cancelled() => {}
            () = self.point.ended(&self.strike) => {}
            () = work => {}
        }
    }
}

impl Cache {
    /// A key of the service with its value; `None` while the cache is empty.
    async fn any_entry(&self) -> RedisResult<Option<(Vec<u8>, Vec<u8>)>> {
        let mut cursor = 0_u64;
        loop {
            let (next, keys) = self.scan(cursor).await?;
            for key in keys {
                if let Some(value) = self.ask::<Option<Vec<u8>>>(redis::cmd("GET").arg(&key)).await? {
                    return Ok(Some((key, value)));
                }
            }
            if next == 0 {
                return Ok(None);
            }
            cursor = next;
        }
    }

    /// Some keys of the service, and the next cursor.
    async fn scan(&self, cursor: u64) -> RedisResult<(u64, Vec<Vec<u8>>)> {
        let mut scan = redis::cmd("SCAN");
        let pattern = format!("{}*", self.inner.targets.prefix);
        self.ask(scan.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(SCAN_COUNT)).await
    }

    /// The same entry with an attachment that makes it `size` bytes large; unchanged if it is not a JSON object or already large enough.
    fn enlarged(&self, entry: &[u8], size: usize) -> Vec<u8> {
        let opening = format!(",\"{}\":\"data:image/png;base64,", self.inner.targets.attachment);
        let closing = b"==\"}";
        let needed = entry.len() + opening.len() + closing.len();
        let Some(body) = entry.strip_suffix(b"}").filter(|_| needed < size) else { return entry.to_vec() };
        let mut large = [body, opening.as_bytes()].concat();
        large.resize(size - closing.len(), b'A');
        large.extend_from_slice(closing);
        large
    }

    async fn unlink(&self, keys: &[Vec<u8>]) {
        for some in keys.chunks(SCAN_COUNT) {
            let _ = self.ask::<i64>(redis::cmd("UNLINK").arg(some)).await;
        }
    }
}

/// `cache-stampede`: removes all entries at once, again and again.
async fn stampede(cache: Cache, plan: Plan<CacheStampede>) {
    let mut ticks = interval(plan.strike.params.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let waves = async {
        loop {
            ticks.tick().await;
            // If Redis fails, the service's own operations report it.
            let _ = remove_all(&cache).await;
        }
    };
    plan.during(waves).await;
}

/// Removes every key of the service, as fast as Redis can.
async fn remove_all(cache: &Cache) -> RedisResult<()> {
    let mut cursor = 0_u64;
    loop {
        let (next, keys) = cache.scan(cursor).await?;
        if !keys.is_empty() {
            cache.ask::<()>(redis::cmd("UNLINK").arg(keys)).await?;
        }
        if next == 0 {
            return Ok(());
        }
        cursor = next;
    }
}

/// `cache-hot-key`: reads one entry of the service, made large, `rps` times a second.
async fn hot_key(cache: Cache, plan: Plan<CacheHotKey>) {
    let CacheHotKey { rps, size } = plan.strike.params;
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let mut hot = Hot { cache: &cache, key: None };
    let reads = async {
        let mut ticks = interval(BATCH);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut last, mut owed) = (Instant::now(), 0.0);
        loop {
            ticks.tick().await;
            owed += rps as f64 * plan.point.level() * last.elapsed().as_secs_f64();
            last = Instant::now();
            // Redis may be the slower one, which is the point: little of what was missed is made up for.
            owed = owed.min(rps as f64 / 4.0);
            // Looked at each time: an eviction, a change or a mass expiry must not end the fault.
            if let Ok(Some(key)) = hot.heat(size).await {
                let mut get = redis::cmd("GET");
                let (get, cache) = (&*get.arg(key), &cache);
                stream::iter(0..owed as usize)
                    .for_each_concurrent(AT_ONCE, |_| async move {
                        let _ = cache.ask::<Option<Vec<u8>>>(get).await;
                    })
                    .await;
            }
            owed = owed.fract();
        }
    };
    plan.during(reads).await;
    if let Some(key) = hot.key {
        cache.unlink(&[key]).await;
    }
}

/// The hot entry.
struct Hot<'c> {
    cache: &'c Cache,
    key: Option<Vec<u8>>,
}

impl Hot<'_> {
    /// The key, after making sure that it holds a large value; another key if it is gone, `None` while there is no entry.
    async fn heat(&mut self, size: usize) -> RedisResult<Option<&[u8]>> {
        let known = match &self.key {
            Some(key) => self.cache.ask::<Option<Vec<u8>>>(redis::cmd("GET").arg(key)).await?,
            None => None,
        };
        let entry = match known {
            Some(entry) => entry,
            None => {
                self.key = None;
                let Some((key, entry)) = self.cache.any_entry().await? else { return Ok(None) };
                self.key = Some(key);
                entry
            }
        };
        let large = self.cache.enlarged(&entry, size);
        if large.len() > entry.len() {
            // Only if it is unchanged: an entry that was changed meanwhile must not be reverted.
            let mut set = redis::cmd("SET");
            set.arg(self.key.as_ref()).arg(large).arg("XX").arg("KEEPTTL");
            self.cache.ask::<Option<()>>(&set).await?;
        }
        Ok(self.key.as_deref())
    }
}

/// `cache-growth`: writes entries, as for ids that nobody asks for again, that are kept far too long; removes them at the end.
async fn growth(cache: Cache, plan: Plan<CacheGrowth>) {
    let CacheGrowth { size, step } = plan.strike.params;
    // All that may have been written, and how many of them have been.
    let (mut keys, mut written): (Vec<Vec<u8>>, usize) = (Vec::new(), 0);
    let writes = async {
        let mut ticks = interval(GROWTH_STEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let wanted = ((size as f64 * plan.point.level()) as usize).div_ceil(ENTRY);
            let upto = wanted.min(written + (step as usize).div_ceil(ENTRY));
            if upto <= written {
                continue;
            }
            // Copies of a real entry: nothing to copy before the first one.
            let Ok(Some((_, entry))) = cache.any_entry().await else { continue };
            let value = cache.enlarged(&entry, ENTRY);
            // Recorded before they are sent: a step cut short by the end may still be written.
            let prefix = cache.inner.targets.prefix;
            keys.extend((keys.len()..upto).map(|_| format!("{prefix}{}", Uuid::now_v7()).into_bytes()));
            let mut batch = redis::pipe();
            for key in &keys[written..upto] {
                batch.cmd("SET").arg(key).arg(&value).arg("EX").arg(KEPT.as_secs()).ignore();
            }
            if batch.query_async::<()>(&mut cache.inner.connection.clone()).await.is_ok() {
                written = upto;
            }
        }
    };
    plan.during(writes).await;
    cache.unlink(&keys).await;
}
