//! One load from two processes: their histograms are added, and the thresholds are judged on the sum.

use std::{
    path::{Path, PathBuf},
    process::Output,
    time::Duration,
};

use axum::{Router, routing::get};
use load::report::Report;
use tokio::process::Command;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

async fn server() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let router = Router::new().route("/", get(|| async {}));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn load(arguments: &[&str]) -> Output {
    let mut load = Command::new(env!("CARGO_BIN_EXE_load"));
    let output = tokio::time::timeout(PATIENCE, load.args(arguments).kill_on_drop(true).output()).await;
    output.expect("it ends").expect("it starts")
}

/// A run with this seed, and the folder in which it is kept.
async fn run(folder: &Path, scenario: &str, seed: &str) -> PathBuf {
    let kept = folder.join(format!("seed-{seed}"));
    let kept_text = kept.display().to_string();
    let output = load(&["run", scenario, "--seed", seed, "--folder", &kept_text]).await;
    // Each alone has too few requests for its p99.9.
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stdout));
    let runs = std::fs::read_dir(kept).expect("kept");
    runs.map(|entry| entry.expect("an entry").path()).find(|path| path.is_dir()).expect("a run")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_are_judged_as_one_load() {
    let folder = tempfile::tempdir().expect("a folder");
    let (scenario, server) = (folder.path().join("read.yaml"), server().await);
    let text = format!(
        "description: Read.
targets: {{server: '{server}'}}
arrivals: constant
timeout: 30s
stages: [{{kind: hold, for: 3s, rate: 200}}]
journeys: [{{name: read, steps: [{{name: read, path: /}}]}}]
thresholds: ['p99.9 < 30s']
"
    );
    std::fs::write(&scenario, text).expect("a file");
    let scenario = scenario.display().to_string();
    let (first, second) =
        tokio::join!(run(folder.path(), &scenario, "1"), run(folder.path(), &scenario, "2"));

    let [first, second, merged] =
        [first, second, folder.path().join("merged")].map(|path| path.display().to_string());
    let output = load(&["merge", &first, &second, "--write", &merged]).await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "599 of each are enough together: {said}");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(Path::new(&merged).join("report.json")).expect("it is written");
    let report: Report = serde_json::from_str(&text).expect("a report");
    assert_eq!(report.total.count + report.skipped, 2 * 599, "due at 5 ms, 10 ms, … and before 3 s: {said}");

    // The merged run can be merged again, and a run with itself is no second load.
    let twice = load(&["merge", &merged, &first]).await;
    assert!(String::from_utf8_lossy(&twice.stderr).contains("has the seed 1"), "{twice:?}");
}
