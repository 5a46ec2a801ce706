//! The cache against a real Redis: values, deadlines, restarts, metrics.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use chassis_redis::{Cache, CacheConfig, CacheError, CacheTargets, Window};
use chassis_telemetry::Chassis;
use testkit::{Redis, eventually, needs};

use crate::support::{PATIENCE, chassis, config, scrape};

pub(crate) const TTL: Duration = Duration::from_secs(60);

/// With a deadline that a busy machine keeps: most tests are not about it.
pub(crate) async fn connect(redis: &Redis, chassis: &Chassis) -> Cache {
    connect_within("5s", redis, chassis).await
}

pub(crate) async fn connect_within(deadline: &str, redis: &Redis, chassis: &Chassis) -> Cache {
    let config: CacheConfig = config(&["--redis-url", &redis.url(), "--cache-timeout", deadline]);
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
    let cache = connect_within("1s", &redis, &chassis).await;
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

const WINDOW: Window = Window { name: "visitors", slot: Duration::from_secs(60), slots: 3 };

/// Adds members by slot, and counts.
async fn count(cache: &Cache, now: u64, slots: &[(u64, &[&str])]) -> Result<u64, CacheError> {
    let bytes =
        |names: &[&str]| -> Vec<Vec<u8>> { names.iter().map(|name| name.as_bytes().to_vec()).collect() };
    let seen: BTreeMap<u64, Vec<Vec<u8>>> = slots.iter().map(|(slot, names)| (*slot, bytes(names))).collect();
    cache.count_distinct(WINDOW, now, &seen).await
}

#[tokio::test]
async fn distinct_members_count_once_over_all_processes_until_they_leave_the_window() {
    needs!(Redis);
    let redis = Redis::start().await;
    // Two processes, each with a connection.
    let (one, two) = (connect(&redis, &chassis(&[])).await, connect(&redis, &chassis(&[])).await);
    assert_eq!(count(&one, 10, &[]).await.expect("an answer"), 0);
    assert_eq!(count(&one, 10, &[(8, &["ada"]), (10, &["ada", "bob"])]).await.expect("an answer"), 2);
    assert_eq!(count(&two, 10, &[(7, &["too early"]), (9, &["bob", "cyd"])]).await.expect("an answer"), 3);
    assert_eq!(count(&one, 10, &[]).await.expect("an answer"), 3, "what the other one saw counts too");
    assert_eq!(count(&two, 11, &[]).await.expect("an answer"), 3, "8 has left, ada was seen later as well");
    assert_eq!(count(&two, 12, &[]).await.expect("an answer"), 2, "9 has left, and cyd with it");
    assert_eq!(count(&two, 13, &[]).await.expect("an answer"), 0);
    // As long as it may count, and one slot more.
    let left: i64 =
        redis.command("TTL {visitors}:10").await.trim_matches([':', '\r', '\n']).parse().expect("a TTL");
    assert!((180..=240).contains(&left), "{left} s");

    let many: Vec<String> = (0..5000).map(|n| format!("visitor {n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let estimate = count(&one, 20, &[(20, many.as_slice())]).await.expect("an answer");
    // Six standard errors.
    assert!((4750..=5250).contains(&estimate), "{estimate} of 5000");
}

#[tokio::test]
async fn faults_of_the_cache_keep_it_from_counting() {
    needs!(Redis);
    let (redis, chassis) = (Redis::start().await, chassis(&[]));
    let cache = connect(&redis, &chassis).await;
    chassis.faults.set("cache-down", "ttl=1m").expect("a plan");
    let error = count(&cache, 1, &[(1, &["ada"])]).await.expect_err("refused");
    assert!(matches!(error, CacheError::Failed(_)), "{error:?}");
    chassis.faults.clear("cache-down").expect("it ends");
    assert_eq!(count(&cache, 1, &[]).await.expect("an answer"), 0, "nothing arrived");
}
