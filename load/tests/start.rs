//! Load and probes that are started before the shop: they wait until it has settled an order, and count nothing meanwhile.

use std::{
    net::SocketAddr,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::to_bytes,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use contracts::{
    orders::PlaceOrder,
    users::{PROBE_USER, seeded_user_id},
};
use serde_json::{Value, json};
use testkit::{Http, Scrape, eventually, free_addr};
use tokio::process::{Child, Command};
use uuid::Uuid;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longer than a test takes.
const LONG: &str = "10m";

/// How far the shop is.
const CLOSED: u8 = 0;
const PENDING: u8 = 1;
const OPEN: u8 = 2;

/// Method and path, and the idempotency key.
type Asked = (String, Option<String>);

/// A shop that opens step by step.
#[derive(Clone, Default)]
struct Shop {
    step: Arc<AtomicU8>,
    /// Each request.
    seen: Arc<Mutex<Vec<Asked>>>,
    /// Id and body of the first order.
    first: Arc<Mutex<Option<(Uuid, Value)>>>,
}

impl Shop {
    async fn start() -> (Self, SocketAddr) {
        let shop = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let router = Router::new().fallback(answer).with_state(shop.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (shop, address)
    }

    fn is(&self, step: u8) {
        self.step.store(step, Ordering::SeqCst);
    }

    /// Waits until this number of requests have begun like this; returns all requests.
    async fn has_seen(&self, count: usize, line: &str) -> Vec<Asked> {
        eventually(PATIENCE, || async {
            let seen = self.seen.lock().expect("no panic").clone();
            let found = seen.iter().filter(|(asked, _)| asked.starts_with(line)).count();
            if found >= count { Ok(seen) } else { Err(format!("{seen:?}")) }
        })
        .await
    }
}

/// What order-api and user-service answer through an edge; 503 as long as the shop is closed.
async fn answer(State(shop): State<Shop>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let line = format!("{} {}", parts.method, parts.uri);
    let key = parts.headers.get("idempotency-key").and_then(|key| key.to_str().ok()).map(str::to_owned);
    shop.seen.lock().expect("no panic").push((line.clone(), key));
    let step = shop.step.load(Ordering::SeqCst);
    if step == CLOSED {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let status = if step == OPEN { "completed" } else { "pending" };
    if line == "POST /orders" {
        let body = to_bytes(body, 1 << 20).await.expect("a body");
        let placed: PlaceOrder = serde_json::from_slice(&body).expect("an order");
        let total: i64 =
            placed.items.iter().map(|item| i64::from(item.quantity) * item.unit_price_cents).sum();
        let order = json!({
            "user_id": placed.user_id, "items": placed.items, "total_cents": total,
            "created_at": "2026-01-02T03:04:05Z", "settled_at": null,
        });
        let id = shop.first.lock().expect("no panic").get_or_insert((Uuid::now_v7(), order)).0;
        let accepted = json!({"id": id, "status": "pending", "total_cents": total});
        return (StatusCode::ACCEPTED, Json(accepted)).into_response();
    }
    let first = shop.first.lock().expect("no panic").clone();
    match first.filter(|(id, _)| line == format!("GET /orders/{id}")) {
        Some((id, mut order)) => {
            order["id"] = json!(id);
            order["status"] = json!(status);
            Json(order).into_response()
        }
        None => StatusCode::OK.into_response(),
    }
}

/// The program as a child process that does not outlive its test.
fn start(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_load"))
        .args(args)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts")
}

fn load(shop: SocketAddr, extra: &[&str]) -> Child {
    let url = format!("http://{shop}");
    start(&[&["--order-api", &url, "--user-service", &url][..], extra].concat())
}

/// The summary of a load that ends.
async fn summary_of(load: Child) -> Value {
    let output = tokio::time::timeout(PATIENCE, load.wait_with_output()).await;
    let output = output.expect("it ends").expect("a child");
    assert!(output.status.success(), "{}", output.status);
    serde_json::from_slice(&output.stdout).expect("JSON and nothing else")
}

async fn terminate(child: &Child) {
    let pid = child.id().expect("it runs").to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.expect("kill runs").success());
}

async fn ready(admin: SocketAddr) {
    let http = Http::to(admin);
    eventually(PATIENCE, || async {
        let ready = http.try_send(http::Method::GET, "/readyz", &[], "").await;
        ready.map(|_| ()).map_err(|error| error.to_string())
    })
    .await;
}

#[tokio::test]
async fn the_load_begins_when_the_shop_has_settled_an_order_and_counts_nothing_before() {
    let (shop, address) = Shop::start().await;
    let admin = free_addr();
    let admin_text = admin.to_string();
    let args = ["--rate", "100", "--start-wait", LONG, "--json", "--admin-addr", &admin_text];
    let load = load(address, &args);
    let sent = async || Scrape::of(admin).await.value("load_requests_total", &[]);

    // Only reads of one user: an order that fails is a failure of order-api.
    let user = format!("GET /users/{}", seeded_user_id(PROBE_USER));
    let seen = shop.has_seen(2, &user).await;
    assert!(seen.iter().all(|(line, _)| *line == user), "{seen:?}");
    ready(admin).await;
    assert_eq!(sent().await, 0.0);

    shop.is(PENDING);
    let seen = shop.has_seen(2, "GET /orders/").await;
    let keys: Vec<_> = seen.iter().filter(|(line, _)| line == "POST /orders").map(|(_, key)| key).collect();
    assert!(keys.len() >= 2 && keys[0].is_some(), "{seen:?}");
    assert!(keys.iter().all(|key| *key == keys[0]), "one order, however often it is looked at: {seen:?}");
    assert_eq!(sent().await, 0.0);

    shop.is(OPEN);
    eventually(PATIENCE, || async {
        let sent = sent().await;
        if sent > 0.0 { Ok(()) } else { Err(format!("{sent} requests")) }
    })
    .await;
    terminate(&load).await;
    let summary = summary_of(load).await;
    assert!(summary["total"]["requests"].as_u64().is_some_and(|requests| requests > 0), "{summary}");
}

#[tokio::test]
async fn sigterm_ends_the_wait_for_a_shop_and_nothing_was_sent() {
    let admin = free_addr();
    let admin_text = admin.to_string();
    let args = ["--start-wait", LONG, "--json", "--admin-addr", &admin_text];
    let load = load(free_addr(), &args);
    ready(admin).await;
    terminate(&load).await;
    assert_eq!(summary_of(load).await["total"]["requests"], 0);
}

#[tokio::test]
async fn a_shop_that_does_not_open_in_time_gets_its_load_anyway() {
    let args = ["--rate", "100", "--duration", "1s", "--start-wait", "1s", "--json", "--no-admin"];
    let summary = summary_of(load(free_addr(), &args)).await;
    assert!(summary["total"]["outcomes"]["transport"].as_u64().is_some_and(|lost| lost > 0), "{summary}");
}

#[tokio::test]
async fn the_probes_wait_as_well_and_no_journey_is_late_meanwhile() {
    let (shop, address) = Shop::start().await;
    let (admin, url) = (free_addr(), format!("http://{address}"));
    let admin_text = admin.to_string();
    let args = ["probe", "--url", &url, "--admin-addr", &admin_text, "--every", "1s", "--start-wait", LONG];
    let _probe = start(&args);
    ready(admin).await;
    let last = async || Scrape::of(admin).await.value("probe_last_success_timestamp_seconds", &[]);
    let before = last().await;
    // JourneyFailing compares it with now.
    eventually(PATIENCE, || async {
        let now = last().await;
        if now > before { Ok(()) } else { Err(format!("{now} is still {before}")) }
    })
    .await;
    let walked = async || Scrape::of(admin).await.value("probe_journeys_total", &[]);
    assert_eq!(walked().await, 0.0);
    let waiting = async || Scrape::of(admin).await.value("probe_waiting", &[]);
    assert_eq!(waiting().await, 1.0);
    shop.is(OPEN);
    eventually(PATIENCE, || async {
        let walked = walked().await;
        if walked > 0.0 { Ok(()) } else { Err(format!("{walked} journeys")) }
    })
    .await;
    assert_eq!(waiting().await, 0.0);
}
