//! Cache faults that work on Redis itself, beside the service's own operations: mass expiry, a hot key, growth.
//!
//! They use the service's connection on purpose: what they do to it is part of the effect.

use std::time::Duration;

use futures::{StreamExt, stream};
use redis::{Cmd, FromRedisValue, RedisResult};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::Cache;
use crate::{
    Chassis,
    fault::{FaultPoint, Strike},
};

/// How often batches of background work are done.
const BATCH: Duration = Duration::from_millis(50);
/// Reads of the hot key that are under way at once: bounds the memory that they take here.
const AT_ONCE: usize = 32;
/// Time between two steps of growth, as the fault's catalogue row says.
const GROWTH_STEP: Duration = Duration::from_millis(100);
/// Size of one entry that growth writes.
const ENTRY: u64 = 16 << 10;
/// Keys asked for, or removed, at a time.
const SCAN_COUNT: usize = 500;

/// Starts the task of each fault that the service declares.
pub(super) fn start(cache: &Cache, chassis: &Chassis) {
    type Work = fn(Cache, Plan) -> futures::future::BoxFuture<'static, ()>;
    let tasks: [(&str, Work); 3] = [
        ("cache-stampede", |cache, plan| Box::pin(stampede(cache, plan))),
        ("cache-hot-key", |cache, plan| Box::pin(hot_key(cache, plan))),
        ("cache-growth", |cache, plan| Box::pin(growth(cache, plan))),
    ];
    for (name, work) in tasks {
        let Some(point) = chassis.faults.find(name) else { continue };
        let (cache, shutdown) = (cache.clone(), chassis.shutdown.clone());
        chassis.spawn(async move {
            // Each round ends with its plan or with the process, and cleans up after itself.
            while let Some(strike) = shutdown.run_until_cancelled(point.started()).await {
                let plan = Plan { point: point.clone(), strike, shutdown: shutdown.clone() };
                work(cache.clone(), plan).await;
            }
        });
    }
}

/// One plan of a fault, from its start to its end.
struct Plan {
    point: FaultPoint,
    strike: Strike,
    shutdown: CancellationToken,
}

impl Plan {
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
    /// A command without deadline, metrics and span.
    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> RedisResult<T> {
        command.query_async(&mut self.inner.connection.clone()).await
    }
}

/// `cache-stampede`: removes all entries at once, again and again.
async fn stampede(cache: Cache, plan: Plan) {
    let mut ticks = interval(plan.strike.duration("interval"));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let waves = async {
        loop {
            ticks.tick().await;
            if let Err(error) = remove(&cache, &format!("{}*", cache.inner.prefix)).await {
                tracing::debug!(%error, "entries not removed");
            }
        }
    };
    plan.during(waves).await;
}

/// Removes every key that matches, as fast as Redis lets it.
async fn remove(cache: &Cache, pattern: &str) -> RedisResult<()> {
    let mut cursor = 0_u64;
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(SCAN_COUNT);
        let (next, keys): (u64, Vec<Vec<u8>>) = cache.ask(&scan).await?;
        if !keys.is_empty() {
            cache.ask::<()>(redis::cmd("UNLINK").arg(keys)).await?;
        }
        if next == 0 {
            return Ok(());
        }
        cursor = next;
    }
}

/// `cache-hot-key`: reads one large value `rps` times a second.
async fn hot_key(cache: Cache, plan: Plan) {
    let key = format!("{}popular", cache.inner.prefix);
    let value = vec![b'v'; usize::try_from(plan.strike.bytes("size")).unwrap_or(usize::MAX)];
    let reads = async {
        let mut ticks = interval(BATCH);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut last, mut owed) = (Instant::now(), 0.0);
        loop {
            ticks.tick().await;
            owed += plan.strike.count("rps") as f64 * plan.point.level() * last.elapsed().as_secs_f64();
            last = Instant::now();
            // Written each time: an eviction or a mass expiry must not end the fault.
            let _ = cache.ask::<()>(redis::cmd("SET").arg(&key).arg(&value).arg("EX").arg(60)).await;
            // Redis may be the slower one, which is the point: little of what was missed is made up for.
            owed = owed.min(plan.strike.count("rps") as f64 / 4.0);
            let mut get = redis::cmd("GET");
            let (get, cache) = (&*get.arg(&key), &cache);
            stream::iter(0..owed as usize)
                .for_each_concurrent(AT_ONCE, |_| async move {
                    let _ = cache.ask::<Option<Vec<u8>>>(get).await;
                })
                .await;
            owed = owed.fract();
        }
    };
    plan.during(reads).await;
    let _ = cache.ask::<()>(redis::cmd("UNLINK").arg(&key)).await;
}

/// `cache-growth`: writes entries that never expire, up to `size`; removes them at the end.
async fn growth(cache: Cache, plan: Plan) {
    let key = |number: u64| format!("{}view:{number}", cache.inner.prefix);
    let value = vec![b'v'; usize::try_from(ENTRY).unwrap_or(usize::MAX)];
    let mut written = 0_u64;
    let writes = async {
        let mut ticks = interval(GROWTH_STEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let wanted = ((plan.strike.bytes("size") as f64 * plan.point.level()) as u64).div_ceil(ENTRY);
            let step = plan.strike.bytes("step").div_ceil(ENTRY);
            let upto = wanted.min(written + step);
            let mut batch = redis::cmd("MSET");
            (written..upto).for_each(|number| {
                batch.arg(key(number)).arg(&value);
            });
            if upto > written && cache.ask::<()>(&batch).await.is_ok() {
                written = upto;
            }
        }
    };
    plan.during(writes).await;
    // A step that the end cut short may have been written all the same.
    let keys: Vec<String> = (0..written + plan.strike.bytes("step").div_ceil(ENTRY)).map(key).collect();
    for some in keys.chunks(SCAN_COUNT) {
        let _ = cache.ask::<()>(redis::cmd("UNLINK").arg(some)).await;
    }
}
