//! How much memory a run needs, as the program itself judges it: the scenario `soak-hour` for a minute, against a server that answers
//! like the shop.

use std::{path::Path, process::Output, time::Duration};

use axum::{
    Json, Router,
    http::StatusCode,
    routing::{get, post},
};
use load::{report::Report, run::Verdict};
use serde_json::{Value, json};
use tokio::process::Command;

const SOAK: &str = include_str!("../scenarios/soak-hour.yaml");

/// As long as an order of the shop.
fn order() -> Value {
    let items = json!([{ "sku": "SKU-0042", "quantity": 2, "unit_price_cents": 1999 }]);
    json!({ "id": "01900000-0000-7000-8000-000000000001", "status": "completed", "items": items, "total_cents": 3998 })
}

async fn shop() -> String {
    let list = || async { Json(vec![order(); 20]) };
    let router = Router::new()
        .route("/orders", post(|| async { (StatusCode::ACCEPTED, Json(order())) }).get(list))
        .route("/orders/{id}", get(|| async { Json(order()) }))
        .route("/users/{id}", get(|| async { Json(json!({ "name": "Ada", "tier": "gold" })) }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// Runs the scenario for `length` instead of an hour, and returns its report too.
async fn soak(folder: &Path, length: &str, most: &str) -> (Output, Report) {
    let text = SOAK.replace("for: 1h", &format!("for: {length}")).replace("warmup: 1m\n", "");
    assert!(!text.contains("1h,") && !text.contains("warmup"), "{text}");
    let file = folder.join("soak.yaml");
    std::fs::write(&file, text).expect("a file");
    let mut load = Command::new(env!("CARGO_BIN_EXE_load"));
    load.arg("run").arg(file).args(["--json", "--target", &shop().await, "--max-memory", most]);
    load.arg("--folder").arg(folder.join("runs")).kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(180), load.output()).await;
    let output = output.expect("it ends").expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let report = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    (output, report)
}

fn knows_memory() -> bool {
    Path::new("/proc/self/status").exists()
}

// A run of a minute is the subject of this test. An optimized program stays within 20 MiB for an hour; this one is larger itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_minute_at_200_requests_per_second_stays_within_32_mib() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, report) = soak(folder.path(), "1m", "32").await;
    let said = report.text();
    // Its other thresholds depend on what else the machine does.
    let memory = report.thresholds.last().expect("the memory");
    assert!(memory.threshold.starts_with("generator memory <= 32"), "{said}");
    assert_eq!(memory.verdict, if knows_memory() { Verdict::Pass } else { Verdict::Inconclusive }, "{said}");
    // 200 per second on average, by Poisson's law; starts that a busy machine skipped are counted apart.
    let sent = report.total.count as f64 + report.skipped as f64 * 1.6;
    assert!((sent / 60.0 / 200.0 - 1.0).abs() < 0.05, "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_needs_more_memory_than_it_may_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let (output, report) = soak(folder.path(), "2s", "1").await;
    let memory = report.thresholds.last().expect("the memory");
    if knows_memory() {
        assert_eq!(output.status.code(), Some(1), "{}", report.text());
        assert!(report.peak_mib > Some(1.0) && report.text().contains(" MiB at most"), "{}", report.text());
        assert_eq!((memory.verdict, report.verdict), (Verdict::Fail, Verdict::Fail));
    } else {
        assert_eq!((memory.verdict, report.peak_mib), (Verdict::Inconclusive, None));
    }
}
