//! The binary itself: its metrics, its start, its stop.

use std::process::Command;

use contracts::{orders::OrderPlaced, topics};
use testkit::{Http, Kafka, Postgres, Process, Scrape, TraceSink, eventually, free_addr, golden};

use crate::worker::{SOON, order};

const BINARY: &str = env!("CARGO_BIN_EXE_order-worker");

#[tokio::test(flavor = "multi_thread")]
async fn the_binary_works_exports_the_golden_scrape_and_stops_on_sigterm() {
    testkit::needs!(Postgres);
    let database = Postgres::shared().await.database("fulfillment").await;
    let kafka = Kafka::start();
    // A receiver of traces, so that their metrics are part of the scrape.
    let traces = TraceSink::start().await;
    let admin = free_addr();
    let (admin_text, otlp) = (admin.to_string(), traces.endpoint());
    let flags = [
        ["--admin-addr", &admin_text],
        ["--database-url", &database],
        ["--kafka-brokers", kafka.brokers()],
        ["--otlp-endpoint", &otlp],
    ];
    let mut process = Process::start(BINARY, &flags.concat());
    process.ready(admin).await;
    // The lag is measured once per second; all other metrics exist from the start.
    let scrape = eventually(SOON, || async {
        let contract = Scrape::of(admin).await.contract();
        if contract.contains("kafka_consumer_lag") { Ok(contract) } else { Err(contract) }
    })
    .await;
    golden::check(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api/snapshots/metrics.txt"), &scrape);

    process.signal("TERM");
    let ended = || std::future::ready(if process.alive() { Err("still running".to_owned()) } else { Ok(()) });
    eventually(SOON, ended).await;
}

#[test]
fn redrive_reports_what_it_did() {
    let kafka = Kafka::start();
    let output = Command::new(BINARY)
        .args(["--database-url", "postgres://127.0.0.1/unused", "--kafka-brokers", kafka.brokers()])
        .args(["redrive", "--limit", "5"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("moved 0, of unknown origin 0, left 0"), "{text}");
}

#[test]
fn a_bad_configuration_exits_64_naming_the_variable_the_value_and_what_was_expected() {
    let output = Command::new(BINARY)
        .env("DATABASE_URL", "postgres://127.0.0.1/fulfillment")
        .env("KAFKA_SESSION_TIMEOUT", "soon")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(64), "{text}");
    assert!(text.contains("KAFKA_SESSION_TIMEOUT") && text.contains("soon"), "{text}");
}

#[test]
fn wrong_event_keys_exit_64_without_being_printed() {
    let output = Command::new(BINARY)
        .env("DATABASE_URL", "postgres://127.0.0.1/fulfillment")
        .env("EVENT_KEYS", "k1:open-sesame")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(64), "{text}");
    assert!(text.contains("EVENT_KEYS") && text.contains("at least 32 characters"), "{text}");
    assert!(!text.contains("sesame"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_database_refuses_is_logged_with_its_sqlstate_and_its_trace() {
    testkit::needs!(Postgres);
    let database = Postgres::shared().await.database("fulfillment").await;
    let kafka = Kafka::start();
    let admin = free_addr();
    let flags =
        ["--admin-addr", &admin.to_string(), "--database-url", &database, "--kafka-brokers", kafka.brokers()];
    let process = Process::start(BINARY, &flags);
    process.ready(admin).await;
    let first = order();
    let reused = OrderPlaced { order_id: uuid::Uuid::now_v7(), ..first.clone() };
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    for event in [&first, &reused] {
        let payload = serde_json::to_vec(event).unwrap();
        let parent = format!("00-{trace}-00f067aa0ba902b7-01");
        kafka.publish(topics::ORDERS, "k", &payload, &[("traceparent", &parent)]).await;
    }
    let line = eventually(SOON, || async {
        let output = process.output();
        let line = output.lines().find(|line| line.contains("message given up"));
        line.map(str::to_owned).ok_or(output)
    })
    .await;
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["level"], "ERROR");
    assert_eq!((&line["sqlstate"], &line["trace_id"]), (&"02000".into(), &trace.into()), "{line}");
    assert_eq!(line["reason"], "refused-by-database");
}

/// The plan of a fault in a process that may have just died.
async fn plan(admin: &Http, fault: &str) -> Result<serde_json::Value, String> {
    let answer = admin.try_send(http::Method::GET, &format!("/faults/{fault}"), &[], "").await;
    let answer = answer.map_err(|error| format!("{error:?}"))?;
    let report: serde_json::Value = serde_json::from_str(&answer.body).map_err(|error| error.to_string())?;
    Ok(report["active"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_of_crashes_goes_on_after_each_start_until_it_is_over_or_withdrawn() {
    testkit::needs!(Postgres);
    let database = Postgres::shared().await.database("fulfillment").await;
    let (kafka, data) = (Kafka::start(), testkit::sweep::data());
    let (admin, folder) = (free_addr(), data.path().to_string_lossy().into_owned());
    let admin_text = admin.to_string();
    let flags = [
        ["--admin-addr", &admin_text],
        ["--database-url", &database],
        ["--kafka-brokers", kafka.brokers()],
        ["--data-dir", &folder],
    ];
    let http = Http::to(admin);
    let start = async || {
        let process = Process::start(BINARY, &flags.concat());
        process.ready(admin).await;
        process
    };
    let dead = async |mut process: Process| {
        eventually(SOON, || {
            std::future::ready(if process.alive() { Err("it still runs".to_owned()) } else { Ok(()) })
        })
        .await;
    };
    let files = || std::fs::read_dir(data.path()).unwrap().count();

    // Three crashes, of which the last start knows nothing any more.
    let process = start().await;
    http.put("/faults/crash-loop?after=2s&times=3&ttl=10m").await.expect_status(200);
    dead(process).await;
    for left in ["2", "1"] {
        assert_eq!(files(), 1, "what is left of the plan");
        let process = Process::start(BINARY, &flags.concat());
        let active = eventually(SOON, || plan(&http, "crash-loop")).await;
        assert_eq!(active["parameters"]["times"], left, "{active}");
        assert!(active["seconds_left"].as_f64().is_some_and(|left| left < 600.0), "{active}");
        dead(process).await;
    }
    assert_eq!(files(), 0, "nothing is left after the last crash");
    let process = start().await;
    assert_eq!(eventually(SOON, || plan(&http, "crash-loop")).await, serde_json::Value::Null);

    // Withdrawn between two crashes.
    http.put("/faults/crash-loop?after=2s&times=20&ttl=10m").await.expect_status(200);
    dead(process).await;
    let process = Process::start(BINARY, &flags.concat());
    eventually(SOON, || async {
        let answer = http.try_send(http::Method::DELETE, "/faults/crash-loop", &[], "").await;
        answer.map(drop).map_err(|error| format!("{error:?}"))
    })
    .await;
    process.ready(admin).await;
    eventually(SOON, || async { if files() == 0 { Ok(()) } else { Err("a file is left".to_owned()) } }).await;

    // An orderly stop ends it as well.
    http.put("/faults/crash-loop?after=1m&times=20&ttl=10m").await.expect_status(200);
    eventually(SOON, || async { if files() == 1 { Ok(()) } else { Err("no file yet".to_owned()) } }).await;
    process.signal("TERM");
    dead(process).await;
    assert_eq!(files(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leak_goes_on_after_the_process_was_killed_for_it_until_it_is_withdrawn() {
    testkit::needs!(Postgres);
    let database = Postgres::shared().await.database("fulfillment").await;
    let (kafka, data) = (Kafka::start(), testkit::sweep::data());
    let (admin, folder) = (free_addr(), data.path().to_string_lossy().into_owned());
    let admin_text = admin.to_string();
    let flags = [
        ["--admin-addr", &admin_text],
        ["--database-url", &database],
        ["--kafka-brokers", kafka.brokers()],
        ["--data-dir", &folder],
    ];
    let http = Http::to(admin);
    let files = || std::fs::read_dir(data.path()).unwrap().count();
    let mut process = Process::start(BINARY, &flags.concat());
    process.ready(admin).await;
    let query = "limit=4MiB&step=1MiB&at_limit=killed&ttl=10m";
    http.put(&format!("/faults/memory-leak?{query}")).await.expect_status(200);
    let both = || std::future::ready(if files() == 2 { Ok(()) } else { Err(format!("{} files", files())) });
    eventually(SOON, both).await;
    let max = std::fs::read_to_string(data.path().join("memory.max")).unwrap();
    assert_eq!(max.trim(), "4194304");

    // As a supervisor that enforces the limit does.
    process.kill();
    let process = Process::start(BINARY, &flags.concat());
    process.ready(admin).await;
    let active = eventually(SOON, || plan(&http, "memory-leak")).await;
    assert_eq!(active["parameters"]["at_limit"], "killed", "{active}");
    assert!(active["seconds_left"].as_f64().is_some_and(|left| left < 600.0), "{active}");
    eventually(SOON, both).await;
    let withdrawn = http.try_send(http::Method::DELETE, "/faults/memory-leak", &[], "").await;
    assert!(withdrawn.is_ok(), "{withdrawn:?}");
    eventually(SOON, async || if files() == 0 { Ok(()) } else { Err("a file is left".to_owned()) }).await;
}

#[test]
fn a_data_folder_that_cannot_be_exits_64() {
    let output = Command::new(BINARY)
        .env("DATABASE_URL", "postgres://127.0.0.1/fulfillment")
        .env("DATA_DIR", "/proc/no/such/folder")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(64), "{text}");
    assert!(text.contains("DATA_DIR") && text.contains("/proc/no/such/folder"), "{text}");
}
