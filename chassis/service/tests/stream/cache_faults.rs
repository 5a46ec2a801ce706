//! The cache faults, each with what a caller, a metric or Redis itself shows, and that it expires.

use std::time::{Duration, Instant};

use chassis_redis::{Cache, CacheError};
use chassis_telemetry::Chassis;
use testkit::{Redis, eventually, needs};

use crate::{
    cache::{TTL, connect, connect_within},
    support::{PATIENCE, chassis, scrape},
};

async fn over(chassis: &Chassis, fault: &str) {
    let point =
        chassis.faults.points().find(|point| point.name() == fault).expect("a fault of the catalogue");
    eventually(PATIENCE, || async { point.active().map_or(Ok(()), |_| Err("still on".to_owned())) }).await;
}

async fn start() -> (Redis, Chassis, Cache) {
    let (redis, chassis) = (Redis::start().await, chassis(&[]));
    let cache = connect(&redis, &chassis).await;
    cache.set("users:1", b"old", TTL).await.expect("an answer");
    (redis, chassis, cache)
}

/// A number of `INFO`.
async fn info(redis: &Redis, field: &str) -> u64 {
    let info = redis.command("INFO").await;
    let line = info.lines().find_map(|line| line.strip_prefix(&format!("{field}:"))).expect("the field");
    line.trim().parse().expect("a number")
}

async fn keys(redis: &Redis) -> u64 {
    redis.command("DBSIZE").await.trim().trim_start_matches(':').parse().expect("a number")
}

#[tokio::test]
async fn cache_down_is_a_refused_connection_and_ends() {
    needs!(Redis);
    let (_redis, chassis, cache) = start().await;
    chassis.faults.set("cache-down", "ttl=1s").expect("a plan");
    let error = cache.get("users:1").await.expect_err("refused");
    assert!(matches!(&error, CacheError::Failed(cause) if cause.is_connection_refusal()), "{error:?}");
    assert_eq!(scrape(&chassis).value("cache_errors_total", &[("operation", "get")]), 1.0);
    over(&chassis, "cache-down").await;
    assert!(cache.get("users:1").await.expect("an answer").is_some());
}

#[tokio::test]
async fn cache_latency_delays_and_beyond_the_deadline_fails() {
    needs!(Redis);
    let (redis, chassis) = (Redis::start().await, chassis(&[]));
    let cache = connect_within("1s", &redis, &chassis).await;
    chassis.faults.set("cache-latency", "delay=40ms&ttl=10s").expect("a plan");
    let start = Instant::now();
    cache.get("users:1").await.expect("an answer");
    assert!(start.elapsed() >= Duration::from_millis(40));
    chassis.faults.set("cache-latency", "delay=5s&ttl=1s").expect("a plan");
    let error = cache.get("users:1").await.expect_err("too late");
    assert!(matches!(error, CacheError::Timeout(_)), "{error:?}");
    over(&chassis, "cache-latency").await;
    cache.get("users:1").await.expect("an answer");
}

#[tokio::test]
async fn cache_stale_acknowledges_changes_and_keeps_the_old_value() {
    needs!(Redis);
    let (redis, chassis, cache) = start().await;
    redis.command("PEXPIRE users:1 5000").await;
    chassis.faults.set("cache-stale", "ttl=1s").expect("a plan");
    cache.set("users:1", b"new", TTL).await.expect("acknowledged");
    cache.delete("users:1").await.expect("acknowledged");
    assert_eq!(cache.get("users:1").await.expect("an answer"), Some(b"old".to_vec()));
    let ttl: i64 =
        redis.command("PTTL users:1").await.trim().trim_start_matches(':').parse().expect("a number");
    assert!(ttl > 50_000, "the TTL restarts: {ttl}");
    cache.set("users:2", b"first", TTL).await.expect("an answer");
    assert_eq!(
        cache.get("users:2").await.expect("an answer"),
        Some(b"first".to_vec()),
        "new entries are written"
    );
    over(&chassis, "cache-stale").await;
    cache.set("users:1", b"new", TTL).await.expect("an answer");
    assert_eq!(cache.get("users:1").await.expect("an answer"), Some(b"new".to_vec()));
}

#[tokio::test]
async fn cache_stampede_removes_all_entries_repeatedly() {
    needs!(Redis);
    let (redis, chassis, cache) = start().await;
    for number in 0..1500 {
        cache.set(&format!("users:{number}"), b"x", TTL).await.expect("an answer");
    }
    redis.command("SET other:1 x").await;
    assert!(!cache.coalescing_suspended());
    chassis.faults.set("cache-stampede", "interval=200ms&ttl=2s").expect("a plan");
    assert!(cache.coalescing_suspended());
    let empty = || async {
        let left = keys(&redis).await;
        if left == 1 { Ok(()) } else { Err(format!("{left} keys")) }
    };
    eventually(PATIENCE, empty).await;
    cache.set("users:1", b"again", TTL).await.expect("an answer");
    eventually(Duration::from_millis(1500), empty).await;
    assert!(redis.command("GET other:1").await.contains('x'), "other services' keys stay");

    chassis.faults.set("cache-stampede", "interval=200ms&coalesce=on&ttl=1s").expect("a plan");
    assert!(!cache.coalescing_suspended());
    over(&chassis, "cache-stampede").await;
    cache.set("users:1", b"stays", TTL).await.expect("an answer");
    // Absence is the subject: longer than two of the fault's intervals.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(cache.get("users:1").await.expect("an answer").is_some());
}

#[tokio::test]
async fn cache_hot_key_reads_one_large_value_at_its_rate() {
    needs!(Redis);
    let (redis, chassis, cache) = start().await;
    cache.set("users:1", br#"{"id":1}"#, TTL).await.expect("an answer");
    let (commands, bytes) =
        (info(&redis, "total_commands_processed").await, info(&redis, "total_net_output_bytes").await);
    let start = Instant::now();
    chassis.faults.set("cache-hot-key", "rps=500&size=64KiB&ttl=1m").expect("a plan");
    eventually(PATIENCE, || async {
        let length = redis.command("STRLEN users:1").await;
        if length.trim() == ":65536" { Ok(()) } else { Err(length) }
    })
    .await;
    let large = cache.get("users:1").await.expect("an answer").expect("the entry");
    let large: serde_json::Value = serde_json::from_slice(&large).expect("still what it was, and more");
    assert_eq!(large["id"], 1);
    assert_eq!(keys(&redis).await, 1, "no key of its own");
    let sent = eventually(PATIENCE, || async {
        let sent = info(&redis, "total_net_output_bytes").await - bytes;
        if sent > 500 * (64 << 10) { Ok(sent) } else { Err(format!("{sent} bytes")) }
    })
    .await;
    let commands = info(&redis, "total_commands_processed").await - commands;
    // Each look of the fault at its key, and each of this test at Redis, is a command too.
    let most = 2.0 * 500.0 * start.elapsed().as_secs_f64() + 300.0;
    assert!((commands as f64) < most, "{commands} commands, {sent} bytes");
    chassis.faults.set("cache-hot-key", "rps=500&size=64KiB&ttl=1s").expect("a plan");
    over(&chassis, "cache-hot-key").await;
    eventually(PATIENCE, || async {
        let left = keys(&redis).await;
        if left == 0 { Ok(()) } else { Err(format!("{left} keys: the large entry goes")) }
    })
    .await;
}

#[tokio::test]
async fn cache_growth_fills_redis_up_to_its_size_and_cleans_up() {
    needs!(Redis);
    let (redis, chassis, cache) = start().await;
    cache.set("users:1", br#"{"id":1}"#, TTL).await.expect("an answer");
    let before = info(&redis, "used_memory").await;
    chassis.faults.set("cache-growth", "size=8MiB&step=2MiB&ttl=3s").expect("a plan");
    let wanted = (8 << 20) / (16 << 10);
    eventually(PATIENCE, || async {
        let written = keys(&redis).await - 1;
        if written == wanted { Ok(()) } else { Err(format!("{written} keys")) }
    })
    .await;
    let grown = info(&redis, "used_memory").await - before;
    assert!(grown > 8 << 20, "{grown} bytes");
    let key = redis.command("RANDOMKEY").await;
    assert!(key.contains("users:"), "named as real entries are: {key}");
    // Absence is the subject: at 2 MiB a step, it would have grown further by now.
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(keys(&redis).await - 1, wanted, "it stops at its size");
    over(&chassis, "cache-growth").await;
    eventually(PATIENCE, || async {
        let left = keys(&redis).await;
        if left == 1 { Ok(()) } else { Err(format!("{left} keys")) }
    })
    .await;
    assert!(cache.get("users:1").await.expect("an answer").is_some(), "real entries stay");
}
