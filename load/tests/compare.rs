//! Two real servers, compared in interleaved blocks.

use std::{net::SocketAddr, path::Path, process::Output, time::Duration};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use tokio::process::Command;

/// How a server answers.
#[derive(Clone, Copy)]
struct Answer {
    after: Duration,
    status: StatusCode,
}

async fn answer(State(answer): State<Answer>) -> StatusCode {
    tokio::time::sleep(answer.after).await;
    answer.status
}

async fn server(ms: u64, status: StatusCode) -> SocketAddr {
    let answering = Answer { after: Duration::from_millis(ms), status };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let router = Router::new().route("/", get(answer)).with_state(answering);
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn compare(folder: &Path, a: SocketAddr, b: SocketAddr) -> Output {
    let scenario = folder.join("read.yaml");
    let text = "description: Read.
targets: {server: 'http://127.0.0.1:1'}
stages: [{kind: hold, for: 1s, rate: 1}]
journeys: [{name: read, steps: [{name: read, path: /}]}]
";
    std::fs::write(&scenario, text).expect("a file");
    let mut load = Command::new(env!("CARGO_BIN_EXE_load"));
    load.arg("compare").args([format!("http://{a}"), format!("http://{b}")]).arg("--scenario").arg(scenario);
    // The budget is wide: the machine that runs the tests is busy, and the difference is not small.
    load.args(["--metric", "p50", "--budget", "100", "--rounds", "5", "--block", "300ms", "--rate", "50"]);
    let output = tokio::time::timeout(Duration::from_secs(120), load.kill_on_drop(true).output()).await;
    output.expect("it ends").expect("it starts")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slower_system_fails_and_an_equal_one_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let (fast, slow) = (server(20, StatusCode::OK).await, server(400, StatusCode::OK).await);
    let worse = compare(folder.path(), fast, slow).await;
    let said = String::from_utf8_lossy(&worse.stdout).into_owned();
    assert_eq!(worse.status.code(), Some(1), "{said}");
    assert!(said.contains(": worse"), "{said}");

    let same = compare(folder.path(), slow, slow).await;
    assert_eq!(same.status.code(), Some(0), "{}", String::from_utf8_lossy(&same.stdout));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quick_failures_are_no_improvement() {
    let folder = tempfile::tempdir().expect("a folder");
    let (right, broken) =
        (server(60, StatusCode::OK).await, server(1, StatusCode::INTERNAL_SERVER_ERROR).await);
    let output = compare(folder.path(), right, broken).await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("B fails 100.00 %"), "{said}");
}
