//! Scenarios against a real server: data passed between steps, verdicts as exit codes, and what a stall looks like.

use std::{
    net::SocketAddr,
    path::Path,
    process::{Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use hdrhistogram::Histogram;
use load::{report::Report, run::Live, scenario};
use serde_json::json;
use testkit::{Http, eventually, free_addr};
use tokio::{process::Command, time::Instant};
use tokio_util::sync::CancellationToken;

/// Orders are settled when they are read for the third time.
#[derive(Clone, Default)]
struct Shop {
    reads: Arc<Mutex<std::collections::BTreeMap<String, usize>>>,
    placed: Arc<AtomicUsize>,
}

async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn shop() -> (Shop, SocketAddr) {
    let shop = Shop::default();
    let place = |State(shop): State<Shop>| async move {
        let id = format!("order-{}", shop.placed.fetch_add(1, Ordering::Relaxed));
        (StatusCode::ACCEPTED, axum::Json(json!({ "id": id })))
    };
    let read = |State(shop): State<Shop>, axum::extract::Path(id): axum::extract::Path<String>| async move {
        let mut reads = shop.reads.lock().expect("no panic");
        let count = reads.entry(id).or_default();
        *count += 1;
        axum::Json(json!({ "status": if *count < 3 { "pending" } else { "completed" } }))
    };
    let router = Router::new()
        .route("/orders", post(place))
        .route("/orders/{id}", get(read))
        .fallback(|| async { StatusCode::INTERNAL_SERVER_ERROR })
        .with_state(shop.clone());
    (shop, serve(router).await)
}

fn orders(target: SocketAddr, length: &str, thresholds: &str) -> String {
    format!(
        "description: Orders.
targets: {{shop: 'http://{target}'}}
arrivals: constant
data: {{n: {{kind: integer, min: 1, max: 9}}}}
stages: [{{kind: hold, for: {length}, rate: 100}}]
journeys:
  - name: order
    steps:
      - {{name: place, method: POST, path: /orders, body: {{n: '${{n}}'}}, check: {{status: [202]}}, save: {{id: /id}}}}
      - name: settle
        path: /orders/${{id}}
        until: {{pointer: /status, values: [completed], every: 10ms, within: 20s}}
thresholds: [{thresholds}]
"
    )
}

fn command(folder: &Path, scenario: &str) -> Command {
    let file = folder.join("orders.yaml");
    std::fs::write(&file, scenario).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_load"));
    command.arg("run").arg(file).arg("--folder").arg(folder.join("runs")).arg("--json");
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

async fn run(folder: &Path, scenario: &str) -> Output {
    let output = tokio::time::timeout(Duration::from_secs(60), command(folder, scenario).output()).await;
    output.expect("it ends").expect("it starts")
}

fn report(output: &Output) -> Report {
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text}\n{}", String::from_utf8_lossy(&output.stderr)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_placed_and_read_until_it_is_settled() {
    let folder = tempfile::tempdir().expect("a folder");
    let (shop, address) = shop().await;
    let thresholds = "errors == 0, skipped == 0, settle within 20s for 90 %";
    let output = run(folder.path(), &orders(address, "2s", thresholds)).await;
    let report = report(&output);
    assert_eq!(output.status.code(), Some(0), "{}", report.text());
    assert_eq!(report.total.count, 199, "due at 10 ms, 20 ms, … and before 2 s; polling is no request");
    assert_eq!(shop.placed.load(Ordering::Relaxed), 199);
    let reads = shop.reads.lock().expect("no panic").clone();
    assert_eq!(reads.len(), 199, "the id of each order was passed on");
    assert!(reads.values().all(|count| *count == 3));
    // Two pauses of 10 ms.
    assert!(report.steps[1].p50 >= 20.0, "{}", report.text());
    let runs = std::fs::read_dir(folder.path().join("runs")).expect("kept");
    let run = runs.map(|entry| entry.expect("an entry").path()).find(|path| path.is_dir()).expect("a run");
    for file in ["report.json", "report.html", "junit.xml", "board.json"] {
        assert!(run.join(file).exists(), "{file}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_exit_code_is_the_verdict() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, address) = shop().await;
    let failing = orders(address, "1s", "errors == 0").replace("[202]", "[201]");
    let output = run(folder.path(), &failing).await;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(report(&output).steps[0].failures["status 202"], 99);

    let output = run(folder.path(), &orders(address, "1s", "p99.9 < 20s")).await;
    assert_eq!(output.status.code(), Some(3), "99 requests have no p99.9");

    let nobody = run(folder.path(), &orders(free_addr(), "1s", "errors == 0")).await;
    let said = String::from_utf8_lossy(&nobody.stderr).into_owned();
    assert_eq!(nobody.status.code(), Some(3), "{said}");
    assert!(said.contains("target `shop`") && said.contains("--target shop=URL"), "{said}");

    let wrong = orders(address, "1s", "errors == 0").replace("rate: 100", "rate: -1");
    let output = run(folder.path(), &wrong).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(64), "{said}");
    assert!(said.contains("orders.yaml:5: stages[0].rate: "), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn starts_above_the_limit_in_flight_are_skipped_counted_and_not_made_up_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let asked = Arc::new(AtomicUsize::new(0));
    // The answer takes its time: that is what fills the limit.
    let slow = |State(asked): State<Arc<AtomicUsize>>| async move {
        asked.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let address = serve(Router::new().route("/", get(slow)).with_state(Arc::clone(&asked))).await;
    let text = format!(
        "description: Slow.
targets: {{server: 'http://{address}'}}
arrivals: constant
max_in_flight: 1
stages: [{{kind: hold, for: 1s, rate: 100}}]
journeys: [{{name: read, steps: [{{name: read, path: /}}]}}]
thresholds: [skipped == 0]
"
    );
    let output = run(folder.path(), &text).await;
    let report = report(&output);
    assert_eq!(output.status.code(), Some(1), "{}", report.text());
    let started = report.total.count;
    assert_eq!(started + report.skipped, 99, "due at 10 ms, 20 ms, … and before 1 s");
    // One after the other from 10 ms on, the sixth would start after 1,010 ms. A busy machine has fewer.
    assert!((2..=5).contains(&started), "{}", report.text());
    assert_eq!(asked.load(Ordering::Relaxed) as u64, started, "none was sent later");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_run_ends_with_its_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let (shop, address) = shop().await;
    let load = command(folder.path(), &orders(address, "1h", "errors == 0")).spawn().expect("it starts");
    eventually(Duration::from_secs(30), || async {
        let placed = shop.placed.load(Ordering::Relaxed);
        (placed > 50).then_some(()).ok_or_else(|| format!("{placed} orders"))
    })
    .await;
    let pid = load.id().expect("it runs").to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().await.expect("kill runs").success());
    let output = tokio::time::timeout(Duration::from_secs(20), load.wait_with_output()).await;
    let output = output.expect("it ends").expect("a child");
    let report = report(&output);
    assert!(!report.whole && report.total.count > 50, "{}", report.text());
    assert_eq!(output.status.code(), Some(3), "a part of a run is no pass");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_can_be_scraped_with_exemplars_while_it_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_shop, address) = shop().await;
    let mut command = command(folder.path(), &orders(address, "1h", "errors == 0"));
    let targets = folder.path().join("targets");
    std::fs::create_dir(&targets).expect("a folder");
    command.args(["--metrics", "127.0.0.1:0", "--trace-ratio", "1", "--discovery"]).arg(&targets);
    let load = command.spawn().expect("it starts");
    let pid = load.id().expect("it runs");
    // What Prometheus reads to find it.
    let target = targets.join(format!("{pid}.json"));
    eventually(Duration::from_secs(30), || async {
        let text = std::fs::read_to_string(&target).map_err(|error| error.to_string())?;
        let targets: serde_json::Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        assert_eq!(targets[0]["labels"]["service"], "load-run");
        let address = targets[0]["targets"][0].as_str().and_then(|address| address.parse().ok());
        let http = Http::to(address.ok_or_else(|| format!("no address in {text}"))?);
        let accept = [("accept", "application/openmetrics-text")];
        let scrape = http.try_send(http::Method::GET, "/metrics", &accept, "").await;
        let body = scrape.map_err(|error| error.to_string())?.body;
        let seen = |start: &str, part: &str| {
            let counted = |line: &str| !line.ends_with(" 0") && !line.ends_with(" 0.0");
            body.lines().any(|line| line.starts_with(start) && line.contains(part) && counted(line))
        };
        let whole = seen("load_step_duration_seconds_bucket{", "# {trace_id=\"")
            && seen("load_steps_total{", "outcome=\"ok\",step=\"place\"")
            && seen("load_journeys_total{", "journey=\"order\"");
        if whole { Ok(()) } else { Err(body) }
    })
    .await;
}

/// A server that answers at once, but not between two moments.
#[derive(Clone, Copy)]
struct Stall {
    from: Instant,
    until: Instant,
}

async fn stalling(State(stall): State<Stall>) {
    let now = Instant::now();
    if (stall.from..stall.until).contains(&now) {
        tokio::time::sleep_until(stall.until).await;
    }
}

/// p99 in milliseconds as a closed loop sees it: one client that waits for each answer before it asks again.
async fn closed_loop(address: SocketAddr, until: Instant) -> f64 {
    let (http, mut times) = (Http::to(address), Histogram::<u64>::new(3).expect("valid digits"));
    while Instant::now() < until {
        let asked = Instant::now();
        http.try_send(http::Method::GET, "/", &[], "").await.expect("an answer");
        times.saturating_record(u64::try_from(asked.elapsed().as_micros()).expect("a short time"));
    }
    times.value_at_quantile(0.99) as f64 / 1_000.0
}

// Time is the subject of this test: it takes ten seconds, and the suite runs it alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stall_of_two_seconds_has_the_p99_of_arithmetic() {
    const RUN: f64 = 10.0;
    const STALLED: f64 = 2.0;
    let start = Instant::now();
    let from = start + Duration::from_secs(4);
    let stall = Stall { from, until: from + Duration::from_secs_f64(STALLED) };
    let address = serve(Router::new().route("/", get(stalling)).with_state(stall)).await;
    let text = format!(
        "description: Stall.
targets: {{server: 'http://{address}'}}
arrivals: constant
max_in_flight: 10000
timeout: 30s
stages: [{{kind: hold, for: 10s, rate: 200}}]
journeys: [{{name: read, steps: [{{name: read, path: /}}]}}]
"
    );
    let scenario = scenario::read("stall.yaml", &text).unwrap_or_else(|problems| panic!("{problems}"));
    let stop = CancellationToken::new();
    let live = Live::new(scenario);
    let (finished, closed) =
        tokio::join!(live.run(&stop), closed_loop(address, start + Duration::from_secs_f64(RUN)));

    let total = &finished.board.total;
    assert_eq!((total.count(), total.errors(), finished.board.skipped), (1_999, 0, 0));
    // A request that arrives x seconds after the stall began waits for the rest of it. One in a hundred of the run's requests arrives within
    // its first RUN / 100 seconds, and waits at least the rest.
    let right = (STALLED - RUN / 100.0) * 1_000.0;
    let seen = total.quantile_ms(0.99);
    assert!((seen / right - 1.0).abs() < 0.05, "{seen} ms, by arithmetic {right} ms");
    assert!(closed < right / 10.0, "a closed loop is expected to hide the stall: {closed} ms");
}
