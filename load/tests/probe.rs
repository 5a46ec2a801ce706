//! The probes as a process, against a server that answers like the edge: what they send, and what they say of the answers.

use std::{
    net::SocketAddr,
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::{
    Json, Router,
    body::to_bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use contracts::{
    orders::PlaceOrder,
    users::{PROBE_USER, seeded_user_id},
};
use serde_json::{Value, json};
use testkit::{Http, Scrape, eventually, free_addr, golden};
use tokio::process::{Child, Command};
use uuid::Uuid;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// An edge with a shop behind it.
#[derive(Clone, Default)]
struct Shop {
    orders: Arc<Mutex<Vec<(Uuid, PlaceOrder)>>>,
    seen: Arc<Mutex<Vec<(String, HeaderMap)>>>,
    /// Cents by which it stores totals wrongly.
    error: Arc<AtomicI64>,
}

impl Shop {
    async fn open() -> (Self, SocketAddr) {
        let shop = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let router = Router::new().fallback(answer).with_state(shop.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (shop, address)
    }

    fn seen(&self) -> Vec<(String, HeaderMap)> {
        self.seen.lock().expect("no panic").clone()
    }

    /// The order with this id: pending when it is read for the first time.
    fn order(&self, id: &str, reads: usize) -> Value {
        let orders = self.orders.lock().expect("no panic");
        let (id, placed) =
            orders.iter().find(|(known, _)| known.to_string() == id).expect("its order").clone();
        let total: i64 =
            placed.items.iter().map(|item| i64::from(item.quantity) * item.unit_price_cents).sum();
        let status = if reads > 1 { "completed" } else { "pending" };
        json!({
            "id": id, "user_id": placed.user_id, "items": placed.items, "status": status,
            "total_cents": total + self.error.load(Ordering::SeqCst),
            "created_at": "2026-01-02T03:04:05Z", "settled_at": null,
        })
    }
}

/// A firewall that blocks every sample, attacks and look-alikes alike, in front of a shop that settles orders.
async fn answer(State(shop): State<Shop>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let line = format!("{} {}", parts.method, parts.uri);
    shop.seen.lock().expect("no panic").push((line.clone(), parts.headers));
    let body = to_bytes(body, 1 << 20).await.expect("a body");
    if line == "POST /orders" {
        let placed: PlaceOrder = serde_json::from_slice(&body).expect("an order");
        let total: i64 =
            placed.items.iter().map(|item| i64::from(item.quantity) * item.unit_price_cents).sum();
        let id = Uuid::now_v7();
        shop.orders.lock().expect("no panic").push((id, placed));
        let accepted = json!({"id": id, "status": "pending", "total_cents": total});
        return (StatusCode::ACCEPTED, Json(accepted)).into_response();
    }
    if let Some(id) = line.strip_prefix("GET /orders/") {
        let reads = shop.seen().iter().filter(|(seen, _)| *seen == line).count();
        return Json(shop.order(id, reads)).into_response();
    }
    if line == format!("GET /users/{}", seeded_user_id(PROBE_USER)) {
        let user = json!({
            "id": seeded_user_id(PROBE_USER), "name": "A", "email": "a@example.com", "tier": "free",
            "created_at": "2026-01-02T03:04:05Z", "updated_at": "2026-01-02T03:04:05Z",
        });
        return Json(user).into_response();
    }
    StatusCode::FORBIDDEN.into_response()
}

/// The program as a child process that does not outlive its test.
fn start(shop: SocketAddr, admin: SocketAddr) -> Child {
    Command::new(env!("CARGO_BIN_EXE_load"))
        .args(["probe", "--url", &format!("http://{shop}"), "--admin-addr", &admin.to_string()])
        .args(["--every", "1s", "--firewall-every", "1s", "--timeout", "30s", "--settle-timeout", "30s"])
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts")
}

/// Waits until `/probes` is as `wanted`; returns it.
async fn shown(http: &Http, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually(PATIENCE, || async {
        let answer = http.try_send(http::Method::GET, "/probes", &[], "").await;
        let shown = answer.map_err(|error| error.to_string())?.json();
        if wanted(&shown) { Ok(shown) } else { Err(shown.to_string()) }
    })
    .await
}

#[tokio::test]
async fn journeys_succeed_until_a_total_is_wrong_and_a_firewall_that_blocks_all_is_found_out() {
    let (shop, address) = Shop::open().await;
    let admin = free_addr();
    let _probe = start(address, admin);
    let http = Http::to(admin);
    let well = |shown: &Value| {
        let ok = |journey: &str| shown["journeys"][journey]["last"]["outcome"] == "ok";
        ok("order") && ok("account") && shown["misjudged"].as_array().is_some_and(|list| !list.is_empty())
    };
    let first = shown(&http, well).await;
    assert_eq!(first["journeys"]["order"]["last_failure"], Value::Null, "{first}");
    let look_alike = |sample: &Value| sample["sample"] == "look-alike";
    assert!(first["misjudged"].as_array().expect("a list").iter().all(look_alike), "{first}");

    // All requests of a journey have the trace that is shown, and say for whom they are.
    let trace = first["journeys"]["order"]["last"]["trace_id"].as_str().expect("a trace").to_owned();
    let text = |headers: &HeaderMap, name: &str| headers[name].to_str().expect("text").to_owned();
    let of_journey: Vec<_> = shop
        .seen()
        .into_iter()
        .filter(|(_, headers)| text(headers, "traceparent").contains(&trace))
        .collect();
    assert!(of_journey.len() >= 4, "place, two reads until it is settled, read: {of_journey:?}");
    for (line, headers) in &of_journey {
        assert!(line.contains("/orders"), "{line}");
        assert!(text(headers, "baggage").contains(&seeded_user_id(PROBE_USER).to_string()), "{headers:?}");
        assert!(text(headers, "user-agent").starts_with("lab-probe/"), "{headers:?}");
    }

    let scrape = Scrape::of(admin).await;
    golden::check(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/snapshots/probe.txt"), &scrape.contract());
    assert!(scrape.value("probe_journeys_total", &[("journey", "order"), ("outcome", "ok")]) >= 1.0);
    assert_eq!(scrape.value("probe_journeys_total", &[("outcome", "wrong")]), 0.0);
    assert_eq!(scrape.value("probe_firewall_wrong", &[("sample", "attack")]), 0.0);
    assert!(scrape.value("probe_firewall_wrong", &[("sample", "look-alike")]) >= 1.0);

    // From now on, what is read back is a euro too much.
    shop.error.store(100, Ordering::SeqCst);
    let wrong = shown(&http, |shown| shown["journeys"]["order"]["last"]["outcome"] == "wrong").await;
    let failure = &wrong["journeys"]["order"]["last_failure"];
    assert_eq!(failure["step"], "read", "{failure}");
    let reason = failure["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("total_cents is 10") && reason.contains("expected"), "{reason}");
    assert_eq!(wrong["journeys"]["account"]["last"]["outcome"], "ok", "the other journey is not concerned");
}

#[tokio::test]
async fn a_shop_that_is_gone_is_a_failure_of_transport_and_no_verdict_of_a_firewall() {
    let admin = free_addr();
    let _probe = start(free_addr(), admin);
    let http = Http::to(admin);
    let gone = |shown: &Value| {
        let of = |journey: &str| shown["journeys"][journey]["last"]["outcome"] == "transport";
        of("order") && of("account")
    };
    let shown = shown(&http, gone).await;
    assert_eq!(shown["journeys"]["order"]["last"]["step"], "place", "it ends with the first step that fails");
    eventually(PATIENCE, || async {
        let missing =
            Scrape::of(admin).await.value("probe_firewall_samples_total", &[("verdict", "missing")]);
        (missing > 0.0).then_some(()).ok_or_else(|| "no round yet".to_owned())
    })
    .await;
    assert_eq!(Scrape::of(admin).await.value("probe_firewall_wrong", &[]), 0.0);
}
