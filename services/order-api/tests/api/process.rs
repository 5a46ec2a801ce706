//! The binary itself: its metrics, its start, its stop.

use std::process::Command;

use testkit::{Http, Kafka, Postgres, Process, Scrape, TraceSink, eventually, free_addr, golden};

use crate::lab::{SOON, run};

const BINARY: &str = env!("CARGO_BIN_EXE_order-api");

#[test]
fn the_binary_serves_exports_the_golden_scrape_and_stops_on_sigterm() {
    testkit::needs!(Postgres);
    run(async {
        let database = Postgres::shared().await.database("orders").await;
        let kafka = Kafka::start();
        // A receiver of traces, so that their metrics are part of the scrape.
        let traces = TraceSink::start().await;
        let (public, admin) = (free_addr(), free_addr());
        let (public_text, admin_text, otlp) = (public.to_string(), admin.to_string(), traces.endpoint());
        let flags = [
            ["--public-addr", &public_text],
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
        Http::to(public).get("/orders").await.expect_status(200);

        process.signal("TERM");
        let ended =
            || std::future::ready(if process.alive() { Err("still running".to_owned()) } else { Ok(()) });
        eventually(SOON, ended).await;
    });
}

#[test]
fn a_bad_configuration_exits_64_naming_the_variable_the_value_and_what_was_expected() {
    let output = Command::new(BINARY)
        .env("DATABASE_URL", "postgres://127.0.0.1/orders")
        .env("OUTBOX_OVERDUE", "soon")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(64), "{text}");
    assert!(text.contains("OUTBOX_OVERDUE") && text.contains("soon"), "{text}");
}

#[test]
fn wrong_event_keys_exit_64_without_being_printed() {
    let output = Command::new(BINARY)
        .env("DATABASE_URL", "postgres://127.0.0.1/orders")
        .env("EVENT_KEYS", "k1:open-sesame")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(64), "{text}");
    assert!(text.contains("EVENT_KEYS") && text.contains("at least 32 characters"), "{text}");
    assert!(!text.contains("sesame"), "{text}");
}
