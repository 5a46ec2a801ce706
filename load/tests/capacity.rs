//! `load capacity` against a server whose capacity is known: one worker that takes ten milliseconds for each request.

use std::{
    path::Path,
    process::Output,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::State, routing::get};
use load::capacity::{Findings, write};
use testkit::free_addr;
use tokio::{process::Command, time::Instant};

/// Requests per second that the worker can do.
const CAPACITY: f64 = 100.0;

#[derive(Clone)]
struct Worker {
    /// When it has done all that it was asked for. It is arithmetic: a timer that is late delays one answer, and not
    /// those behind it.
    free: Arc<Mutex<Instant>>,
    asked: Arc<AtomicU32>,
    /// The request for which it takes half a second, once.
    slow: u32,
}

async fn work(State(worker): State<Worker>) {
    let slow = worker.asked.fetch_add(1, Ordering::Relaxed) == worker.slow;
    let takes = Duration::from_secs_f64(1.0 / CAPACITY + if slow { 0.5 } else { 0.0 });
    let done = {
        let mut free = worker.free.lock().expect("no panic");
        *free = (*free).max(Instant::now()) + takes;
        *free
    };
    tokio::time::sleep_until(done).await;
}

/// Never slow.
const STEADY: u32 = u32::MAX;

/// `load capacity` on a new worker that is slow for one request, with its files in `folder`.
async fn capacity(folder: &Path, slow: u32, arguments: &[&str]) -> Output {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let worker =
        Worker { free: Arc::new(Mutex::new(Instant::now())), asked: Arc::new(AtomicU32::new(0)), slow };
    let router = Router::new().route("/", get(work)).with_state(worker);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let scenario = format!(
        "description: Read.
targets: {{server: 'http://{address}'}}
arrivals: constant
timeout: 30s
stages: [{{kind: hold, for: 1s, rate: 1}}]
journeys: [{{name: read, steps: [{{name: read, path: /}}]}}]
"
    );
    let file = |name: &str| folder.join(name);
    std::fs::write(file("read.yaml"), scenario).expect("a file");
    let mut load = Command::new(env!("CARGO_BIN_EXE_load"));
    load.arg("capacity").arg(file("read.yaml"));
    // Steps of 20, 40, 80, 160. A tenth of a second is far above what an idle worker takes, and in two seconds a load that is 5 % too
    // high makes the last ones wait for that long.
    load.args(["--from", "20", "--to", "160", "--steps", "4", "--hold", "2s", "--p99", "100ms"]);
    load.args(["--prometheus", &format!("http://{}", free_addr())]);
    load.arg("--results").arg(file("capacity.json")).arg("--write").arg(file("capacity.md"));
    load.arg("--kept").arg(file("kept"));
    let output =
        tokio::time::timeout(Duration::from_secs(180), load.args(arguments).kill_on_drop(true).output());
    output.await.expect("it ends").expect("it starts")
}

/// Tries again if the run itself says, by its exit code, that the machine was doing something else: three times at most.
async fn confirmed(folder: &Path, slow: u32, arguments: &[&str]) -> Output {
    for _ in 0..2 {
        let output = capacity(folder, slow, arguments).await;
        if output.status.success() {
            return output;
        }
    }
    capacity(folder, slow, arguments).await
}

// It overloads the server for two seconds at a time, and takes about thirty.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_knee_of_a_single_worker_is_found_kept_and_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = confirmed(folder.path(), STEADY, &[]).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "the knee is confirmed: {said}");

    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("it is written");
    let findings = Findings::from_json(&read("capacity.json")).expect("findings");
    assert!((findings.knee / CAPACITY - 1.0).abs() <= 0.15, "{}: {said}", findings.knee);
    assert!(findings.steps.is_sorted_by_key(|step| step.offered), "{said}");
    assert_eq!(findings.validation.len(), 2, "{said}");
    assert!(findings.saturated.is_empty() && said.contains("which resource is full is unknown"), "{said}");
    assert_eq!(read("capacity.md"), write(&findings));
    let kept = format!("kept/capacity-{}.json", findings.started_at.replace(':', ""));
    assert_eq!(read(&kept), read("capacity.json"));
    // 160 requests per second are too many twice: nothing higher is tried.
    let highest = findings.steps.iter().filter(|step| step.offered > 150.0).count();
    assert_eq!(highest, 2, "{said}");
}

// The worker is slow in the middle of the first step, of 40 requests in two seconds. Nothing is wrong with 20 requests
// per second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_something_else_disturbed_is_tried_again_and_does_not_end_the_climb() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = confirmed(folder.path(), 20, &[]).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "the knee is confirmed: {said}");
    let text = std::fs::read_to_string(folder.path().join("capacity.json")).expect("it is written");
    let findings = Findings::from_json(&text).expect("findings");
    assert!((findings.knee / CAPACITY - 1.0).abs() <= 0.15, "{}: {said}", findings.knee);
    let lowest: Vec<bool> = findings
        .steps
        .iter()
        .filter(|step| step.offered < 21.0)
        .map(|step| step.good(&findings.objective))
        .collect();
    assert_eq!(lowest, [false, true], "{said}");
}

// As long as the other one, and eleven steps more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_knee_is_where_a_run_of_rising_load_breaks() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = confirmed(folder.path(), STEADY, &["--check-breakpoint=1"]).await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.starts_with("1/1: knee ") && said.contains("(p99 <= 100ms)"), "{said}");
    assert!(!folder.path().join("capacity.json").exists(), "it only checks");
    let kept = std::fs::read_dir(folder.path().join("kept")).expect("it is kept");
    assert!(kept.flatten().any(|file| file.file_name().to_string_lossy().starts_with("breakpoint-")));
}
