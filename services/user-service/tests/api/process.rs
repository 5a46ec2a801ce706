//! The binary itself: its metrics, its start, its stop.

use std::{path::Path, process::Command};

use contracts::users::seeded_user_id;
use testkit::{
    Http, Postgres, Process, Redis, Scrape, Span, TraceSink, eventually, free_addr, golden, needs,
};

use crate::rig::SOON;

const BINARY: &str = env!("CARGO_BIN_EXE_user-service");

#[tokio::test(flavor = "multi_thread")]
async fn the_binary_serves_exports_the_golden_scrape_and_stops_on_sigterm() {
    needs!(Postgres, Redis);
    let database_url = Postgres::shared().await.database("users").await;
    let redis = Redis::start().await;
    // A receiver of traces, so that their metrics are part of the scrape.
    let traces = TraceSink::start().await;
    let (public, admin) = (free_addr(), free_addr());
    let args = [("--public-addr", public.to_string()), ("--admin-addr", admin.to_string())];
    let stores = [
        ("--database-url", database_url),
        ("--redis-url", redis.url()),
        ("--otlp-endpoint", traces.endpoint()),
    ];
    let args: Vec<_> = args.iter().chain(&stores).flat_map(|(flag, value)| [*flag, value.as_str()]).collect();
    let mut process = Process::start(BINARY, &args);
    process.ready(admin).await;

    golden::check(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/snapshots/metrics.txt"),
        &Scrape::of(admin).await.contract(),
    );
    Http::to(public).get(&format!("/users/{}", seeded_user_id(0))).await.expect_status(200);
    eventually(SOON, || std::future::ready(trace_of_a_miss(&traces.all()))).await;

    process.signal("TERM");
    let log = process.output();
    eventually(SOON, || {
        std::future::ready(if process.alive() { Err("still running".to_owned()) } else { Ok(()) })
    })
    .await;
    assert!(
        log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()),
        "not JSON: {log}"
    );
}

/// The request's span with the reads of cache and database below it.
fn trace_of_a_miss(spans: &[Span]) -> Result<(), String> {
    let names: Vec<_> = spans.iter().map(|span| (span.kind, span.name.as_str())).collect();
    let root = spans.iter().find(|span| span.kind == "server" && span.name == "GET /users/{id}");
    let below = |name: &str| {
        spans.iter().any(|span| root.is_some_and(|root| span.name == name && span.parent_id == root.span_id))
    };
    let complete = ["GET", "find_user", "SET"].into_iter().all(below);
    complete.then_some(()).ok_or(format!("{names:?}"))
}

#[test]
fn bad_configuration_exits_64_naming_variable_and_expectation() {
    for (variable, value, expectation) in [
        ("CACHE_TTL", "soon", "soon"),
        ("FAULTS_AT_START", "db-latency?delay=2", "a duration such as 250ms"),
        ("FAULTS_AT_START", "db-lag", "db-latency"),
        ("PROTECTIONS_OFF", "belt", "single-flight"),
        ("LOG_LEVEL", "a=b=c", "filter"),
    ] {
        let output = Command::new(BINARY)
            .args(["--database-url", "postgres://127.0.0.1/users"])
            .env(variable, value)
            .output()
            .expect("the binary runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(64), "{text}");
        assert!(text.contains(variable) && text.contains(value) && text.contains(expectation), "{text}");
    }
}
