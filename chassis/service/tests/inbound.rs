//! The `http-*` faults through the assembled stack and a real socket: what a client and the metrics see.

#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod support;

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, routing::get};
use chassis_faults::scope::Scope;
use chassis_http::catalogue::*;
use chassis_service::lifecycle::Running;
use http::Method;
use testkit::{Http, Scrape};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const POINTS: chassis_faults::Catalogue = &[&HTTP_ERROR, &HTTP_LATENCY, &HTTP_HANG, &HTTP_ABORT];
const ROUTES: &[(&str, &str)] = &[("GET", "/things/{id}"), ("GET", "/other")];

struct Service {
    running: Running,
    http: Http,
    handled: Arc<AtomicUsize>,
}

impl Service {
    async fn start(arguments: &[&str]) -> Self {
        let handled = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&handled);
        let thing = async move |axum::extract::Path(id): axum::extract::Path<String>| {
            count.fetch_add(1, Ordering::SeqCst);
            // Like a handler that learns from its database whose thing it is.
            Scope::identify(("user.id", &id), [("user.tier", "gold")]);
            "thing"
        };
        let public =
            Router::new().route("/things/{id}", get(thing)).route("/other", get(|| async { "other" }));
        let app = support::app(arguments, POINTS);
        let running = Running::start(app.serving(public, ROUTES)).await.expect("a running service");
        let http = Http::to(running.public.unwrap());
        Self { running, http, handled }
    }

    fn set(&self, name: &str, query: &str) {
        self.running.chassis.faults.set(name, query).unwrap();
    }

    async fn errors(&self, path: &str, of: usize) -> usize {
        let mut errors = 0;
        for _ in 0..of {
            errors += usize::from(self.http.get(path).await.status >= 500);
        }
        errors
    }
}

#[tokio::test]
async fn http_error_fails_its_share_counts_and_never_reaches_the_handler() {
    let service = Service::start(&[]).await;
    service.set("http-error", "rate=0.4&seed=1");
    let errors = service.errors("/things/1", 300).await;
    assert!((90..150).contains(&errors), "{errors}");
    assert_eq!(service.handled.load(Ordering::SeqCst), 300 - errors);
    let labels = [("method", "GET"), ("endpoint", "/things/{id}"), ("status", "500")];
    let counted = Scrape::of(service.running.admin).await.value("http_requests_total", &labels);
    assert_eq!(counted, f64::from(u32::try_from(errors).unwrap()));
    service.running.chassis.faults.clear("http-error").unwrap();
    assert_eq!(service.errors("/things/1", 50).await, 0);
}

#[tokio::test]
async fn http_error_answers_like_the_services_own_failures() {
    let service = Service::start(&[]).await;
    service.set("http-error", "");
    service.http.get("/things/1").await.expect_problem(500, "internal");
    service.set("http-error", "status=503");
    let answer = service.http.get("/things/1").await;
    let problem = answer.expect_problem(503, "storage-unavailable");
    assert_eq!(problem["instance"], "/things/1");
    assert_eq!(answer.header("retry-after"), "1");
    for word in ["fault", "inject", "chaos", "simulat"] {
        assert!(!answer.body.to_lowercase().contains(word), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_seed_replays_the_same_answers() {
    let service = Service::start(&[]).await;
    let run = async || {
        service.set("http-error", "rate=0.5&seed=99");
        let mut answers = Vec::new();
        for _ in 0..40 {
            answers.push(service.http.get("/other").await.status);
        }
        answers
    };
    let first = run().await;
    assert_eq!(first, run().await);
    assert!(first.contains(&200) && first.contains(&500));
}

#[tokio::test]
async fn a_plan_for_a_route_leaves_the_others_alone() {
    let service = Service::start(&[]).await;
    service.set("http-error", "route=/things/{id}");
    assert_eq!(service.errors("/things/1", 10).await, 10);
    assert_eq!(service.errors("/other", 10).await, 0);
}

#[tokio::test]
async fn a_plan_for_a_user_matches_baggage_and_what_the_handler_learns() {
    let service = Service::start(&[]).await;
    service.set("http-error", "user_id=u1");
    assert_eq!(service.errors("/things/u1", 5).await, 5, "known by the handler only");
    assert_eq!(service.errors("/things/u2", 5).await, 0);
    let before = service.handled.load(Ordering::SeqCst);
    let headers = [("baggage", "user.id=u1,user.tier=free")];
    let answer = service.http.send(Method::GET, "/things/u2", &headers, String::new()).await;
    assert_eq!(answer.status, 500);
    assert_eq!(service.handled.load(Ordering::SeqCst), before, "known in advance, so not handled");
    service.set("http-error", "user_tier=gold");
    assert_eq!(service.errors("/things/u2", 5).await, 5);
}

#[tokio::test]
async fn http_latency_delays_and_shows_in_the_histogram() {
    let service = Service::start(&[]).await;
    service.set("http-latency", "delay=150ms");
    let begun = Instant::now();
    service.http.get("/other").await.expect_status(200);
    assert!(begun.elapsed() >= Duration::from_millis(150));
    let scrape = Scrape::of(service.running.admin).await;
    let labels = [("method", "GET"), ("endpoint", "/other")];
    assert!(scrape.value("http_request_duration_seconds_sum", &labels) >= 0.15);
}

#[tokio::test]
async fn http_hang_holds_the_request_until_the_timeout() {
    let service = Service::start(&["--request-timeout=300ms"]).await;
    service.set("http-hang", "route=/things/{id}");
    let begun = Instant::now();
    service.http.get("/things/1").await.expect_problem(504, "timeout");
    assert!(begun.elapsed() >= Duration::from_millis(300));
    assert_eq!(service.handled.load(Ordering::SeqCst), 0);
    service.http.get("/other").await.expect_status(200);
}

#[tokio::test]
async fn http_abort_resets_the_connection() {
    let service = Service::start(&[]).await;
    service.set("http-abort", "");
    let mut client = TcpStream::connect(service.running.public.unwrap()).await.unwrap();
    client.write_all(b"GET /things/1 HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let error = client.read(&mut [0; 64]).await.expect_err("a reset");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(service.handled.load(Ordering::SeqCst), 0);
    service.running.chassis.faults.clear("http-abort").unwrap();
    service.http.get("/things/1").await.expect_status(200);
}
