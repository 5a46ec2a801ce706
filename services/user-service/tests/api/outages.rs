//! Redis or PostgreSQL is gone, hangs, and comes back.

use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{eventually, needs};

use crate::rig::{Rig, SOON, path};

async fn x_cache_becomes(rig: &Rig, n: u32, wanted: &[&str]) {
    eventually(SOON, || async {
        let answer = rig.read(n).await;
        let status = answer.header("x-cache").to_owned();
        let good = answer.status == 200 && wanted.contains(&status.as_str());
        good.then_some(()).ok_or(format!("{} {status}", answer.status))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_redis_gone_users_come_from_the_database_and_with_redis_back_from_the_cache() {
    needs!(Postgres, Redis);
    let mut rig = Rig::start().await;
    rig.read(0).await;
    rig.redis.kill();
    for _ in 0..10 {
        assert_eq!(rig.read(0).await.expect_status(200).header("x-cache"), "bypass");
    }
    rig.public.patch(&path(0), &json!({"name": "Changed"})).await.expect_status(200);
    assert_eq!(rig.read(0).await.json()["name"], "Changed");
    assert!(rig.scrape().await.value("cache_errors_total", &[("cache_type", "users")]) >= 10.0);
    rig.admin.get("/readyz").await.expect_status(200);
    rig.redis.restart().await;
    x_cache_becomes(&rig, 0, &["hit"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_redis_costs_only_its_deadline() {
    needs!(Postgres, Redis);
    let rig = Rig::with(&["--cache-timeout=50ms"]).await;
    rig.read(0).await;
    rig.redis.freeze();
    let start = Instant::now();
    assert_eq!(rig.read(0).await.expect_status(200).header("x-cache"), "bypass");
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    rig.redis.thaw();
    x_cache_becomes(&rig, 0, &["hit", "miss"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_database_gone_old_copies_are_served_and_the_rest_is_503_until_it_is_back() {
    needs!(Postgres, Redis);
    let rig = Rig::with(&["--cache-ttl=200ms", "--db-acquire-timeout=300ms"]).await;
    rig.read(0).await;
    rig.database.cut();
    x_cache_becomes(&rig, 0, &["stale"]).await;
    assert!(rig.scrape().await.value("cache_stale_served_total", &[]) >= 1.0);

    let unknown = rig.read(5).await;
    unknown.expect_problem(503, "storage-unavailable");
    assert!(!unknown.header("retry-after").is_empty());
    rig.public.get("/users").await.expect_problem(503, "storage-unavailable");
    let new = json!({"name": "Ada", "email": "new@example.com"});
    rig.public.post("/users", &new).await.expect_problem(503, "storage-unavailable");
    rig.public.patch(&path(0), &json!({"name": "X"})).await.expect_problem(503, "storage-unavailable");
    let unready = rig.admin.get("/readyz").await;
    assert!(unready.expect_status(503).body.contains("database"), "{}", unready.body);

    rig.without("stale-on-error").await;
    rig.read(0).await.expect_problem(503, "storage-unavailable");

    rig.database.restore();
    x_cache_becomes(&rig, 0, &["miss", "hit"]).await;
    rig.public.post("/users", &new).await.expect_status(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_database_hanging_old_copies_are_served_within_the_origin_timeout() {
    needs!(Postgres, Redis);
    let rig = Rig::with(&["--cache-ttl=200ms", "--origin-timeout=300ms"]).await;
    rig.read(0).await;
    rig.database.blackhole();
    x_cache_becomes(&rig, 0, &["stale"]).await;
    let start = Instant::now();
    assert_eq!(rig.read(0).await.header("x-cache"), "stale");
    rig.read(7).await.expect_problem(503, "storage-unavailable");
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    rig.database.restore();
    x_cache_becomes(&rig, 7, &["miss", "hit"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_database_slows_misses_and_not_hits() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    rig.read(0).await;
    rig.database.delay(Duration::from_millis(150));
    let start = Instant::now();
    assert_eq!(rig.read(1).await.expect_status(200).header("x-cache"), "miss");
    assert!(start.elapsed() >= Duration::from_millis(300), "150 ms each way");
    rig.database.blackhole();
    assert_eq!(rig.read(0).await.expect_status(200).header("x-cache"), "hit");
}
