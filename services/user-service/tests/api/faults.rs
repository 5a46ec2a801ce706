//! The fault points at this service's own boundaries: switched on, observed, and ended.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::json;
use testkit::{eventually, needs};

use crate::rig::{Rig, SOON, path};

#[tokio::test(flavor = "multi_thread")]
async fn http_error_fails_requests_until_it_ends_by_itself() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    rig.fault("http-error?rate=1&ttl=2s").await;
    let problem = rig.read(0).await.expect_problem(500, "internal");
    let text = problem.to_string().to_lowercase();
    assert!(["fault", "inject", "chaos", "simulat"].iter().all(|word| !text.contains(word)), "{text}");
    let errors = [("endpoint", "/users/{id}"), ("status", "500")];
    assert!(rig.scrape().await.value("http_requests_total", &errors) >= 1.0);
    eventually(SOON, || async {
        let status = rig.read(0).await.status;
        (status == 200).then_some(()).ok_or(status.to_string())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn http_latency_delays_and_http_hang_runs_into_the_request_timeout() {
    needs!(Postgres, Redis);
    let rig = Rig::with(&["--request-timeout=1s"]).await;
    rig.fault("http-latency?delay=300ms").await;
    let start = Instant::now();
    rig.read(0).await.expect_status(200);
    assert!(start.elapsed() >= Duration::from_millis(300));
    rig.end_faults().await;
    rig.fault("http-hang").await;
    let start = Instant::now();
    rig.read(0).await.expect_status(504);
    assert!(start.elapsed() >= Duration::from_secs(1));
    rig.end_faults().await;
    rig.read(0).await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn http_abort_resets_the_connection() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    rig.fault("http-abort").await;
    assert!(rig.public.try_send(Method::GET, &path(0), &[], "").await.is_err());
    rig.end_faults().await;
    rig.read(0).await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_can_be_limited_to_one_tier_or_one_user() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    let victim = contracts::users::seeded_user_id(3);
    rig.fault(&format!("db-error?user_id={victim}")).await;
    rig.read(3).await.expect_problem(503, "storage-unavailable");
    rig.read(4).await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_update_answers_the_new_value_and_keeps_the_old_one() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    let before = rig.read(0).await.json();
    rig.fault("lost-update").await;
    let answer = rig.public.patch(&path(0), &json!({"name": "Gone"})).await;
    assert_eq!(answer.expect_status(200).json()["name"], "Gone");
    assert_eq!(rig.read(0).await.json(), before);
    rig.end_faults().await;
    rig.public.patch(&path(0), &json!({"name": "Stays"})).await.expect_status(200);
    assert_eq!(rig.read(0).await.json()["name"], "Stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn cache_down_and_a_cache_slower_than_its_deadline_send_reads_to_the_database() {
    needs!(Postgres, Redis);
    let rig = Rig::with(&["--cache-timeout=200ms"]).await;
    rig.read(0).await;
    for plan in ["cache-down", "cache-latency?delay=800ms"] {
        let before = rig.scrape().await;
        rig.fault(plan).await;
        assert_eq!(rig.read(0).await.expect_status(200).header("x-cache"), "bypass", "{plan}");
        let after = rig.scrape().await;
        assert!(after.delta(&before, "cache_errors_total", &[("cache_type", "users")]) >= 1.0, "{plan}");
        assert!(after.delta(&before, "cache_origin_reads_total", &[]) >= 1.0, "{plan}");
        rig.end_faults().await;
        eventually(SOON, || async {
            let status = rig.read(0).await.header("x-cache").to_owned();
            (status == "hit").then_some(()).ok_or(status)
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cache_stale_serves_the_old_value_after_a_change() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    let before = rig.read(0).await.json();
    rig.fault("cache-stale").await;
    rig.public.patch(&path(0), &json!({"name": "Changed"})).await.expect_status(200);
    let answer = rig.read(0).await;
    assert_eq!((answer.header("x-cache"), answer.json()), ("hit", before));
    rig.end_faults().await;
    rig.public.patch(&path(0), &json!({"name": "Again"})).await.expect_status(200);
    assert_eq!(rig.read(0).await.json()["name"], "Again");
}

#[tokio::test(flavor = "multi_thread")]
async fn cache_stale_serves_the_old_value_beyond_its_ttl_until_it_ends() {
    needs!(Postgres, Redis);
    let rig = Rig::with(&["--cache-ttl=200ms", "--cache-stale-for=1s"]).await;
    let before = rig.read(0).await.json();
    rig.fault("cache-stale").await;
    rig.public.patch(&path(0), &json!({"name": "Changed"})).await.expect_status(200);
    // Beyond the TTL, and beyond the time for which Redis would keep the entry.
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(2) {
        let answer = rig.read(0).await;
        assert_eq!(
            (answer.header("x-cache"), answer.json()),
            ("hit", before.clone()),
            "{:?}",
            start.elapsed()
        );
    }
    rig.end_faults().await;
    eventually(SOON, || async {
        let name = rig.read(0).await.json()["name"].clone();
        (name == "Changed").then_some(()).ok_or(name.to_string())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cache_stampede_keeps_emptying_the_cache() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    rig.read(0).await;
    let before = rig.scrape().await;
    rig.fault("cache-stampede?interval=100ms").await;
    eventually(SOON, || async {
        rig.read(0).await.expect_status(200);
        let misses = rig.scrape().await.delta(&before, "cache_misses_total", &[("cache_type", "users")]);
        (misses >= 3.0).then_some(()).ok_or(format!("{misses} misses"))
    })
    .await;
    rig.end_faults().await;
    rig.read(0).await;
    assert_eq!(rig.read(0).await.header("x-cache"), "hit");
}

#[tokio::test(flavor = "multi_thread")]
async fn cache_growth_fills_redis_and_cache_hot_key_keeps_it_busy() {
    needs!(Postgres, Redis);
    let rig = Rig::start().await;
    let figure = |info: String, name: &str| {
        let line = info.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
        line.expect("a figure").parse::<f64>().expect("a number")
    };
    let memory = async || figure(rig.redis.command("INFO memory").await, "used_memory:");
    let commands = async || figure(rig.redis.command("INFO stats").await, "total_commands_processed:");
    // Both need an entry to work with.
    rig.read(0).await.expect_status(200);
    let before = memory().await;
    rig.fault("cache-growth?size=4MiB").await;
    eventually(SOON, async || {
        let grown = memory().await - before;
        (grown > 2e6).then_some(()).ok_or(format!("{grown} bytes"))
    })
    .await;
    rig.end_faults().await;
    rig.read(0).await.expect_status(200);
    let before = commands().await;
    rig.fault("cache-hot-key?rps=500").await;
    eventually(SOON, async || {
        let more = commands().await - before;
        (more > 500.0).then_some(()).ok_or(format!("{more} commands"))
    })
    .await;
}
