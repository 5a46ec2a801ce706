//! The binary itself: its metrics, its start, its stop.

use std::process::Command;

use testkit::{Kafka, Process, Scrape, TraceSink, eventually, free_addr, golden};

use crate::rig::{SOON, Sqs};

const BINARY: &str = env!("CARGO_BIN_EXE_notifier");

#[tokio::test(flavor = "multi_thread")]
async fn the_binary_works_exports_the_golden_scrape_and_stops_on_sigterm() {
    testkit::needs!(Kafka, S3Emulators);
    let (kafka, sqs) = (Kafka::start(), Sqs::start().await);
    // A receiver of traces, so that their metrics are part of the scrape.
    let traces = TraceSink::start().await;
    let admin = free_addr();
    let (admin_text, otlp, endpoint) = (admin.to_string(), traces.endpoint(), sqs.endpoint());
    let flags = [
        ["--admin-addr", &admin_text],
        ["--kafka-brokers", kafka.brokers()],
        ["--sqs-endpoint", &endpoint],
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

#[tokio::test(flavor = "multi_thread")]
async fn redrive_reports_what_it_did() {
    testkit::needs!(S3Emulators);
    let sqs = Sqs::start().await;
    let endpoint = sqs.endpoint();
    let args = ["--sqs-endpoint", endpoint.as_str(), "redrive", "--limit", "5"];
    let output = Command::new(BINARY).args(args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("moved 0, of unknown origin 0, left 0"), "{said}");
}

#[test]
fn a_bad_configuration_exits_64_naming_the_variable_the_value_and_what_was_expected() {
    let output = Command::new(BINARY).env("SQS_ENDPOINT", "https://sqs.example").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(64), "{said}");
    for word in ["SQS_ENDPOINT", "https://sqs.example", "http://host:port"] {
        assert!(said.contains(word), "{word}: {said}");
    }
}
