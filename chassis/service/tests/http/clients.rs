//! Slow, stalled and foreign clients against an assembled service: what other clients get meanwhile, and whose failure is counted.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use axum::{
    Router,
    routing::{get, post},
};
use chassis_http::Json;
use http::Method;
use testkit::{Scrape, eventually};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::support::{Service, start};

const PATIENCE: Duration = Duration::from_secs(30);
const HALF_BODY: &str = "POST /things HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n1";

/// More than the kernel takes for a client that does not read.
static MANY: [u8; 4 << 20] = [b'x'; 4 << 20];

async fn service(arguments: &[&str]) -> Service {
    let add = |Json(number): Json<u32>| async move { number.to_string() };
    let routes = Router::new()
        .route("/things", post(add))
        .route("/things/{id}", get(|| async { "thing" }))
        .route("/many", get(|| async { MANY.as_slice() }));
    start(routes, arguments).await
}

/// A connection that has sent only `text`.
async fn hold(address: SocketAddr, text: &str) -> TcpStream {
    let mut tcp = TcpStream::connect(address).await.expect("a connection");
    tcp.write_all(text.as_bytes()).await.expect("sent");
    tcp
}

async fn hold_many(count: usize, address: SocketAddr, text: &str) -> Vec<TcpStream> {
    let mut held = Vec::new();
    for _ in 0..count {
        held.push(hold(address, text).await);
    }
    held
}

/// What the server sends until it closes or is silent for a while.
async fn said(mut tcp: TcpStream) -> String {
    let mut text = Vec::new();
    let _ = timeout(PATIENCE, tcp.read_to_end(&mut text)).await;
    String::from_utf8_lossy(&text).into_owned()
}

/// Requests that were answered with a status that the availability objective counts as bad.
fn failures(scrape: &Scrape) -> f64 {
    ["499", "500", "503", "504"]
        .iter()
        .flat_map(|status| ["GET", "POST"].map(|method| [("method", method), ("status", *status)]))
        .filter_map(|labels| scrape.find("http_requests_total", &labels))
        .sum()
}

/// The 99th percentile of 300 requests, each answered.
async fn p99(service: &Service) -> Duration {
    let mut times = Vec::new();
    for _ in 0..300 {
        let begun = Instant::now();
        service.public.get("/things/1").await.expect_status(200);
        times.push(begun.elapsed());
    }
    times.sort();
    times[296]
}

/// Whether the server has neither answered nor closed the connection.
fn is_waiting(tcp: &TcpStream) -> bool {
    tcp.try_read(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_half_bodies_take_no_slot() {
    let service = service(&[]).await;
    let held = hold_many(300, service.running.public.expect("a port"), HALF_BODY).await;
    let body = serde_json::json!(7);
    timeout(PATIENCE, service.public.post("/things", &body)).await.expect("an answer").expect_status(200);
    service.public.get("/things/1").await.expect_status(200);
    let scrape = service.scrape().await;
    assert_eq!(scrape.value("http_requests_shed_total", &[]), 0.0);
    assert_eq!(scrape.value("http_requests_in_flight", &[]), 0.0, "half a request is not handled");
    drop(held);
}

/// Five hundred connections of each of four kinds, once the port has closed as many as are too many.
async fn two_thousand(service: &Service) -> Vec<TcpStream> {
    let public = service.running.public.expect("a port");
    let crowded = [("port", "public"), ("reason", "crowded")];
    let closed =
        async || service.scrape().await.find("http_clients_refused_total", &crowded).unwrap_or_default();
    let before = closed().await;
    let mut held = Vec::new();
    for _ in 0..500 {
        for text in ["GET / HTTP/1.1\r\nho", HALF_BODY, "GET /many HTTP/1.1\r\nhost: localhost\r\n\r\n", ""] {
            held.push(hold(public, text).await);
        }
    }
    eventually(PATIENCE, || async {
        let more = closed().await - before;
        if more >= 1500.0 { Ok(()) } else { Err(format!("{more} had to go")) }
    })
    .await;
    held
}

/// How many times as long p99 takes beside two thousand slow clients, in one pair of rounds; all of them are gone again
/// at its end. A millisecond on both sides: below that, a scheduler's turn decides.
async fn slowdown(service: &Service) -> f64 {
    let grain = Duration::from_millis(1);
    let quiet = p99(service).await;
    let held = two_thousand(service).await;
    let beside = p99(service).await;
    // Three quarters of 256: those that never read have part of their response. Those that were given notice go within a second.
    eventually(PATIENCE, || async {
        let waiting = held.iter().filter(|tcp| is_waiting(tcp)).count();
        let expected = (150..=250).contains(&waiting);
        if expected { Ok(()) } else { Err(format!("{waiting} of them are still there")) }
    })
    .await;
    drop(held);
    eventually(PATIENCE, || async {
        let open = service.scrape().await.find("http_requests_in_flight", &[]);
        if open == Some(0.0) { Ok(()) } else { Err(format!("{open:?} in flight")) }
    })
    .await;
    (beside + grain).div_duration_f64(quiet + grain)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_slow_clients_of_four_kinds_cost_no_request_and_no_budget() {
    let service = service(&["--head-timeout=5m", "--body-timeout=5m", "--write-timeout=5m"]).await;
    p99(&service).await;
    // Other tests and programs slow the machine too, but hardly in most rounds and only beside the crowd: the median
    // counts, and no round is repeated.
    let mut slowdowns = Vec::new();
    for _ in 0..5 {
        slowdowns.push(slowdown(&service).await);
    }
    slowdowns.sort_by(f64::total_cmp);
    assert!(slowdowns[2] <= 2.0, "p99 with them to p99 without them: {slowdowns:.2?}");
    let scrape = service.scrape().await;
    assert_eq!(failures(&scrape), 0.0, "{scrape:?}");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_a_408_and_costs_neither_time_nor_budget() {
    let service = service(&["--body-timeout=100ms"]).await;
    let text = said(hold(service.running.public.expect("a port"), HALF_BODY).await).await;
    assert!(text.starts_with("HTTP/1.1 408") && text.contains("\"instance\":\"/things\""), "{text}");
    let scrape = service.scrape().await;
    assert_eq!(scrape.value("http_requests_total", &[("method", "POST"), ("status", "408")]), 1.0);
    let labels = [("method", "POST"), ("endpoint", "/things")];
    assert_eq!(scrape.value("http_request_duration_seconds_count", &labels), 0.0);
    assert_eq!(failures(&scrape), 0.0);
    let labels = [("port", "public"), ("reason", "slow-body")];
    assert_eq!(scrape.value("http_clients_refused_total", &labels), 1.0);
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_of_its_body_made_no_request() {
    let service = service(&[]).await;
    drop(hold(service.running.public.expect("a port"), HALF_BODY).await);
    // A whole request after it, so that the one before is finished.
    service.public.get("/things/1").await.expect_status(200);
    service.reaches("http_requests_in_flight", &[], 0.0).await;
    assert_eq!(failures(&service.scrape().await), 0.0);
}

#[tokio::test]
async fn an_announced_length_over_the_limit_is_a_413_at_once() {
    let service = service(&[]).await;
    let begun = Instant::now();
    let request = HALF_BODY.replace("content-length: 10", "content-length: 100000000");
    let mut tcp = hold(service.running.public.expect("a port"), &request).await;
    let mut head = [0; 12];
    timeout(PATIENCE, tcp.read_exact(&mut head)).await.expect("an answer").expect("an answer");
    assert_eq!(String::from_utf8_lossy(&head), "HTTP/1.1 413");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_slow_body_is_not_the_services_time() {
    let service = service(&["--request-timeout=200ms"]).await;
    let request = HALF_BODY.replace("host:", "connection: close\r\nhost:");
    let mut tcp = hold(service.running.public.expect("a port"), &request).await;
    // Longer than the request timeout, which starts after the body.
    tokio::time::sleep(Duration::from_millis(400)).await;
    tcp.write_all(b"234567890").await.expect("sent");
    let text = said(tcp).await;
    assert!(text.starts_with("HTTP/1.1 200") && text.ends_with("1234567890"), "{text}");
    let sum = service.scrape().await.value("http_request_duration_seconds_sum", &[("method", "POST")]);
    assert!(sum < 0.2, "{sum}");
}

#[tokio::test]
async fn the_admin_port_survives_slow_clients_too() {
    let service = service(&["--head-timeout=300ms"]).await;
    let held = hold_many(500, service.running.admin, "GET /livez HTTP/1.1\r\n").await;
    service.admin.get("/livez").await.expect_status(200);
    for tcp in held {
        assert_eq!(said(tcp).await, "", "closed");
    }
    let labels = [("port", "admin"), ("reason", "slow-head")];
    assert!(service.scrape().await.value("http_clients_refused_total", &labels) > 0.0);
}

#[tokio::test]
async fn a_rebound_name_reaches_neither_port() {
    let service = service(&["--allowed-hosts=test-service,*.lab.svc"]).await;
    let evil = [("host", "evil.example:9101")];
    for (http, path) in
        [(&service.admin, "/faults"), (&service.admin, "/metrics"), (&service.public, "/things/1")]
    {
        let answer = http.send(Method::GET, path, &evil, String::new()).await;
        let problem = answer.expect_problem(421, "misdirected-request");
        assert!(
            problem["errors"]["Host"].as_str().is_some_and(|names| names.contains("test-service")),
            "{problem}"
        );
        for name in ["localhost:1", "test-service", "a.lab.svc:80", "[::1]:80"] {
            http.send(Method::GET, path, &[("host", name)], String::new()).await.expect_status(200);
        }
    }
    service
        .admin
        .send(Method::PUT, "/faults/http-error", &evil, String::new())
        .await
        .expect_problem(421, "misdirected-request");
    let labels = [("port", "admin"), ("reason", "wrong-host")];
    assert_eq!(service.scrape().await.value("http_clients_refused_total", &labels), 3.0);
}

#[tokio::test]
async fn another_site_can_set_no_fault_and_switch_off_no_protection() {
    let service = service(&[]).await;
    for path in ["/faults/http-error", "/protections/timeout?enabled=false"] {
        for header in
            [("origin", "http://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
        {
            let answer = service.admin.send(Method::PUT, path, &[header], String::new()).await;
            answer.expect_problem(403, "cross-origin");
        }
    }
    service.public.get("/things/1").await.expect_status(200);
    let plain = service.admin.send(Method::PUT, "/faults/http-error", &[], String::new()).await;
    plain.expect_status(200);
}
