//! The cache against a real Redis: values, deadlines, restarts, metrics.

use std::time::{Duration, Instant};

use chassis_redis::{Cache, CacheConfig, CacheError, CacheTargets};
use chassis_telemetry::Chassis;
use testkit::{Redis, eventually, needs};

use crate::support::{PATIENCE, chassis, config, scrape};

pub(crate) const TTL: Duration = Duration::from_secs(60);

pub(crate) async fn connect(redis: &Redis, chassis: &Chassis) -> Cache {
    let config: CacheConfig = config(&["--redis-url", &redis.url()]);
    let targets = CacheTargets { prefix: "users:", attachment: "avatar" };
    Cache::connect(&config, targets, chassis).await.expect("a cache")
}

#[tokio::test]
async fn values_are_kept_for_their_ttl_and_can_be_removed() {
    needs!(Redis);
    let (redis, chassis) = (Redis::start().await, chassis(&[]));
    let cache = connect(&redis, &chassis).await;
    assert_eq!(cache.get("users:1").await.expect("an answer"), None);
    cache.set("users:1", b"\x00ada", TTL).await.expect("an answer");
    assert_eq!(cache.get("users:1").await.expect("an answer"), Some(b"\x00ada".to_vec()));
    cache.delete("users:1").await.expect("an answer");
    assert_eq!(cache.get("users:1").await.expect("an answer"), None);
    cache.set("users:2", b"x", Duration::from_millis(1)).await.expect("an answer");
    eventually(PATIENCE, || async {
        cache.get("users:2").await.expect("an answer").map_or(Ok(()), |_| Err("still there".to_owned()))
    })
    .await;
    cache.record(true);
    let scrape = scrape(&chassis);
    assert_eq!(scrape.value("cache_hits_total", &[("cache_type", "users")]), 1.0);
    assert_eq!(scrape.value("cache_misses_total", &[("cache_type", "users")]), 0.0);
    assert!(scrape.value("cache_operation_duration_seconds_count", &[("operation", "set")]) >= 2.0);
}

#[tokio::test]
async fn a_frozen_redis_costs_the_deadline_and_no_more() {
    needs!(Redis);
    let (redis, chassis) = (Redis::start().await, chassis(&[]));
    let cache = connect(&redis, &chassis).await;
    cache.set("users:1", b"x", TTL).await.expect("an answer");
    redis.freeze();
    let start = Instant::now();
    let error = cache.get("users:1").await.expect_err("no answer");
    assert!(matches!(error, CacheError::Timeout(_)), "{error:?}");
    // Without a deadline it would never come back.
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!(scrape(&chassis).value("cache_errors_total", &[("operation", "get")]), 1.0);
    redis.thaw();
    eventually(PATIENCE, || async { cache.get("users:1").await.map(|_| ()).map_err(|e| e.to_string()) })
        .await;
}

#[tokio::test]
async fn a_killed_redis_fails_at_once_and_is_found_again() {
    needs!(Redis);
    let (mut redis, chassis) = (Redis::start().await, chassis(&[]));
    let cache = connect(&redis, &chassis).await;
    cache.set("users:1", b"x", TTL).await.expect("an answer");
    redis.kill();
    eventually(PATIENCE, || async {
        let start = Instant::now();
        match cache.get("users:1").await {
            Err(CacheError::Failed(error)) if error.is_connection_refusal() => Ok(start.elapsed()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    redis.restart().await;
    eventually(PATIENCE, || async {
        match cache.get("users:1").await {
            Ok(None) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}
