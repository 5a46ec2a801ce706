//! The assembled hello, through its ports, as a caller and an operator see it; and the binary itself.

use std::path::Path;

use chassis_http::openapi;
use chassis_service::lifecycle::Running;
use clap::Parser as _;
use hello::{HelloConfig, SERVICE, build, faults};
use testkit::{Http, Process, Scrape, TraceSink, free_addr, golden};

/// The service on free ports.
fn start() -> impl Future<Output = anyhow::Result<Running>> {
    let flags = ["hello", "--public-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0"];
    let config = HelloConfig::try_parse_from(flags).expect("good flags");
    let chassis = config.common.chassis(SERVICE, faults::CATALOGUE, faults::SUBJECT);
    Running::start(build(&config, chassis))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_greeting_is_given_and_counted_from_zero() {
    let running = start().await.expect("free ports");
    let public = Http::to(running.public.expect("a public port"));
    assert_eq!(Scrape::of(running.admin).await.value("greetings_total", &[]), 0.0);
    let answer = public.get("/greetings/ada").await;
    assert_eq!(answer.expect_status(200).json()["text"], "Good morning, ada.");
    assert_eq!(Scrape::of(running.admin).await.value("greetings_total", &[]), 1.0);
    public.get("/elsewhere").await.expect_problem(404, "not-found");
    assert!(running.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_fails_requests_and_counts_them_until_it_ends() {
    let running = start().await.expect("free ports");
    let (public, admin) = (Http::to(running.public.expect("a public port")), Http::to(running.admin));
    // The binary claims these two when it starts traces and logs, which a process does once.
    assert_eq!(running.chassis.faults.unclaimed(), ["trace-drop", "log-drop"]);
    admin.put("/faults/http-error?rate=1&ttl=1m").await.expect_status(200);
    public.get("/greetings/ada").await.expect_status(500);
    let failed = [("endpoint", "/greetings/{name}"), ("status", "500")];
    assert_eq!(Scrape::of(running.admin).await.value("http_requests_total", &failed), 1.0);
    admin.delete("/faults").await.expect_status(204);
    public.get("/greetings/ada").await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_openapi_document_is_served() {
    let running = start().await.expect("free ports");
    let served = Http::to(running.public.expect("a public port")).get("/openapi.json").await;
    let document = openapi::document(&hello::router::routes());
    assert_eq!(served.expect_status(200).json(), serde_json::to_value(&document).expect("JSON"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_binary_exports_the_golden_scrape_and_stops_on_sigterm() {
    // A receiver of traces, so that their metrics are part of the scrape.
    let traces = TraceSink::start().await;
    let (public, admin) = (free_addr(), free_addr());
    let args = [
        format!("--public-addr={public}"),
        format!("--admin-addr={admin}"),
        format!("--otlp-endpoint={}", traces.endpoint()),
    ];
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut process = Process::start(env!("CARGO_BIN_EXE_hello"), &args);
    process.ready(admin).await;
    golden::check(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/snapshots/metrics.txt"),
        &Scrape::of(admin).await.contract(),
    );
    Http::to(public).get("/greetings/ada").await.expect_status(200);
    process.signal("TERM");
    testkit::eventually(std::time::Duration::from_secs(20), || {
        std::future::ready(if process.alive() { Err("still running".to_owned()) } else { Ok(()) })
    })
    .await;
}
