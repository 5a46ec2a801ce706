//! `load capacity` against a server whose capacity is known: one worker that takes ten milliseconds for each request.

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::State, routing::get};
use load::capacity::{Findings, write};
use testkit::free_addr;
use tokio::{process::Command, sync::Semaphore};

async fn work(State(worker): State<Arc<Semaphore>>) {
    let _busy = worker.acquire().await.expect("it is never closed");
    tokio::time::sleep(Duration::from_millis(10)).await;
}

// It overloads the server for a second at a time, and takes about twenty.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_knee_of_a_single_worker_is_found_kept_and_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let router = Router::new().route("/", get(work)).with_state(Arc::new(Semaphore::new(1)));
    tokio::spawn(async move { axum::serve(listener, router).await });

    let file = |name: &str| folder.path().join(name);
    let scenario = format!(
        "description: Read.
targets: {{server: 'http://{address}'}}
arrivals: constant
timeout: 30s
stages: [{{kind: hold, for: 1s, rate: 1}}]
journeys: [{{name: read, steps: [{{name: read, path: /}}]}}]
"
    );
    std::fs::write(file("read.yaml"), scenario).expect("a file");
    let mut load = Command::new(env!("CARGO_BIN_EXE_load"));
    load.arg("capacity").arg(file("read.yaml"));
    // Steps of 10, 20, 40, 80, 160, 320: the fifth is beyond what the worker can do, whatever the machine.
    load.args(["--from", "10", "--to", "320", "--steps", "6", "--hold", "1s", "--p99", "200ms"]);
    load.args(["--prometheus", &format!("http://{}", free_addr())]);
    load.arg("--results").arg(file("capacity.json")).arg("--page").arg(file("capacity.md"));
    let output = tokio::time::timeout(Duration::from_secs(120), load.kill_on_drop(true).output()).await;
    let output = output.expect("it ends").expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();

    // 3: a machine that does something else at 90 % or at 110 % has not confirmed the knee.
    assert!(matches!(output.status.code(), Some(0 | 3)), "{said}");
    let kept =
        std::fs::read_to_string(file("capacity.json")).unwrap_or_else(|error| panic!("{error}: {said}"));
    let findings = Findings::from_json(&kept).expect("findings");
    // Exactly 100 in theory. A timer is up to a millisecond late, and the step in which the queue begins to grow is short.
    assert!((40.0..=160.0).contains(&findings.knee), "{said}");
    assert!(findings.steps.is_sorted_by_key(|step| step.offered), "{said}");
    assert_eq!(findings.validation.len(), 2, "{said}");
    assert!(findings.saturated.is_empty() && said.contains("which resource is full is unknown"), "{said}");
    let page = std::fs::read_to_string(file("capacity.md")).expect("the page");
    assert_eq!(page, write(&findings));
}
