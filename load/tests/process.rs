//! The program against a server that responds like the services: what it sends, how its rate changes, how it ends.

use std::{
    net::SocketAddr,
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use contracts::{
    orders::{Accepted, OrderStatus, PlaceOrder},
    users::{SEEDED_USERS, seeded_user_id, seeded_user_tier},
};
use serde_json::Value;
use testkit::{Http, Scrape, eventually, free_addr, golden};
use tokio::process::{Child, Command};
use uuid::Uuid;

/// One request that the server received.
#[derive(Debug, Clone)]
struct Seen {
    line: String,
    baggage: String,
    idempotency_key: Option<String>,
    /// Whether it is the last one of its connection.
    last: bool,
    body: Bytes,
}

#[derive(Clone, Default)]
struct Server {
    seen: Arc<Mutex<Vec<Seen>>>,
    accepted: Arc<Mutex<Vec<Uuid>>>,
}

impl Server {
    async fn start() -> (Self, SocketAddr) {
        let server = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let router = Router::new().fallback(answer).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (server, address)
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }
}

async fn answer(State(server): State<Server>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let line = format!("{} {}", parts.method, parts.uri);
    let header = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let (baggage, idempotency_key) = (header("baggage").unwrap_or_default(), header("idempotency-key"));
    let last = header("connection").is_some_and(|value| value == "close");
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let seen = Seen { line: line.clone(), baggage, idempotency_key, last, body };
    server.seen.lock().expect("no panic").push(seen);
    if line == "POST /orders" {
        let id = Uuid::now_v7();
        server.accepted.lock().expect("no panic").push(id);
        let accepted = Accepted { id, status: OrderStatus::Pending, total_cents: 1 };
        return (StatusCode::ACCEPTED, axum::Json(accepted)).into_response();
    }
    let status = if line == "GET /risky" { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK };
    status.into_response()
}

/// The program as a child process that does not outlive its test.
fn start(server: SocketAddr, extra: &[&str]) -> Child {
    let url = format!("http://{server}");
    Command::new(env!("CARGO_BIN_EXE_load"))
        .args(["--order-api", &url, "--user-service", &url])
        // A busy machine may be slow; the counts must not depend on that.
        .args(["--timeout", "30s", "--drain", "30s"])
        .args(extra)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts")
}

/// Its output, once it has ended.
async fn ended(load: Child) -> String {
    let output = tokio::time::timeout(Duration::from_secs(30), load.wait_with_output()).await;
    let output = output.expect("it ends").expect("a child");
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8(output.stdout).expect("text")
}

async fn summary_of(load: Child) -> Value {
    serde_json::from_str(&ended(load).await).expect("JSON and nothing else")
}

fn count<'a>(seen: &'a [Seen], line: &'a str) -> impl Iterator<Item = &'a Seen> {
    seen.iter().filter(move |request| request.line.starts_with(line))
}

#[tokio::test]
async fn a_run_sends_the_mix_for_seeded_users_and_prints_a_summary() {
    let (server, address) = Server::start().await;
    let load = start(
        address,
        &["--rate", "200", "--duration", "2s", "--json", "--no-admin", "--arrivals", "constant"],
    );
    let summary = summary_of(load).await;
    let seen = server.seen();
    assert_eq!(seen.len(), 399, "due at 5 ms, 10 ms, … and before 2 s");
    assert_eq!(summary["total"]["requests"], 399);
    assert_eq!(summary["dropped"], 0);
    // Ten per second; fewer if the machine stalls.
    let last = seen.iter().filter(|request| request.last).count();
    assert!((2..=seen.len() / 4).contains(&last), "{last} connections end");
    let risky = count(&seen, "GET /risky").count();
    assert!(risky > 0);
    assert_eq!(summary["total"]["outcomes"]["server_error"], risky);

    let users: Vec<_> = (0..SEEDED_USERS)
        .map(|n| format!("user.id={},user.tier={}", seeded_user_id(n), seeded_user_tier(n).as_str()))
        .collect();
    assert!(seen.iter().all(|request| users.contains(&request.baggage)), "each is for a seeded user");

    let mut keys: Vec<_> =
        count(&seen, "POST /orders").map(|r| r.idempotency_key.clone().expect("a key")).collect();
    let orders = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), orders, "no key is used twice");
    for request in count(&seen, "POST /orders") {
        let order: PlaceOrder = serde_json::from_slice(&request.body).expect("an order");
        assert!(request.baggage.contains(&order.user_id.to_string()), "the user in the baggage");
    }
    let accepted = server.accepted.lock().expect("no panic").clone();
    let read = |id: &str| accepted.iter().any(|accepted| accepted.to_string() == id);
    let reads: Vec<_> = count(&seen, "GET /orders/").filter_map(|r| r.line.rsplit('/').next()).collect();
    assert!(
        reads.len() > 50 && reads.iter().all(|id| read(id)),
        "orders that are read were placed in this run"
    );
}

#[tokio::test]
async fn two_runs_with_a_seed_send_the_same_with_new_keys() {
    let flags =
        ["--rate", "200", "--duration", "1s", "--json", "--no-admin", "--profile", "orders", "--seed", "9"];
    let mut runs = Vec::new();
    for _ in 0..2 {
        let (server, address) = Server::start().await;
        ended(start(address, &flags)).await;
        runs.push(server.seen());
    }
    let bodies = |run: &[Seen]| {
        // Requests at the same time may overtake each other.
        let mut bodies: Vec<_> = run.iter().map(|request| request.body.clone()).collect();
        bodies.sort();
        bodies
    };
    assert!(runs[0].len() > 150);
    assert_eq!(bodies(&runs[0]), bodies(&runs[1]));
    let keys = |run: &[Seen]| run.iter().filter_map(|r| r.idempotency_key.clone()).collect::<Vec<_>>();
    assert!(keys(&runs[0]).iter().all(|key| !keys(&runs[1]).contains(key)));
}

#[tokio::test]
async fn the_admin_port_changes_the_rate_and_sigterm_ends_the_run_with_its_summary() {
    let (server, address) = Server::start().await;
    let admin = free_addr();
    let load = start(address, &["--rate", "0", "--admin-addr", &admin.to_string()]);
    let http = Http::to(admin);
    eventually(Duration::from_secs(30), || async {
        let ready = http.try_send(http::Method::GET, "/readyz", &[], "").await;
        ready.map(|_| ()).map_err(|error| error.to_string())
    })
    .await;
    assert_eq!(http.get("/rate").await.json()["rps"], 0.0);
    assert!(server.seen().is_empty(), "a rate of 0 sends nothing");

    for wrong in
        ["/rate", "/rate?rps=-1", "/rate?rps=NaN", "/rate?rps=fast", "/rate?rps=1e9", "/rate?rps=1&x=2"]
    {
        http.put(wrong).await.expect_invalid("rps");
    }
    http.put("/rate?rps=150").await.expect_status(200);
    assert_eq!(http.get("/rate").await.json()["rps"], 150.0);
    eventually(Duration::from_secs(10), || async {
        let sent = server.seen().len();
        (sent > 50).then_some(()).ok_or_else(|| format!("{sent} requests"))
    })
    .await;

    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots/metrics.txt");
    golden::check(golden, &Scrape::of(admin).await.contract());
    let metrics = http.get("/metrics").await;
    assert!(metrics.body.contains("load_target_rps 150"), "{}", metrics.body);
    assert!(metrics.body.contains(r#"load_requests_total{operation="place-order",outcome="ok"}"#));
    assert!(metrics.body.contains("\nload_dropped_total "));

    let pid = load.id().expect("it runs").to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.expect("kill runs").success());
    let output = ended(load).await;
    assert!(output.contains("response time in ms") && output.contains("place-order"), "{output}");
}

#[tokio::test]
async fn a_missing_target_is_counted_and_does_not_slow_the_load_down() {
    let nobody = free_addr();
    let load = start(
        nobody,
        &["--rate", "300", "--duration", "1s", "--json", "--no-admin", "--arrivals", "constant"],
    );
    let summary = summary_of(load).await;
    assert_eq!(summary["total"]["requests"], 299);
    assert_eq!(summary["total"]["outcomes"]["transport"], 299);
}

#[tokio::test]
async fn a_closed_loop_keeps_all_callers_busy_with_one_operation() {
    let (server, address) = Server::start().await;
    let flags =
        ["--operation", "place-order", "--concurrency", "8", "--duration", "1s", "--json", "--no-admin"];
    let load = start(address, &flags);
    let summary = summary_of(load).await;
    let seen = server.seen();
    assert!(seen.len() > 100, "{}", seen.len());
    assert!(seen.iter().all(|request| request.line == "POST /orders"));
    assert_eq!(summary["total"]["outcomes"]["ok"], seen.len());
    let per_second = summary["ok_per_second"].as_f64().expect("a number");
    assert!(per_second > seen.len() as f64 * 0.7, "{per_second} per second, {} in all", seen.len());
}
