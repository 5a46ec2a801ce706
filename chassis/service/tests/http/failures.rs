//! Panics, slowness and faults become counted problem documents.

use std::{io, time::Duration};

use axum::{Router, routing::get};
use chassis_faults::protection::Protection;
use chassis_http::{Problem, problems::INTERNAL};
use tokio::time::Instant;

use crate::support::{Service, start};

/// What the slow handler takes: far more than the time of a request, so that a busy machine does not confuse the two.
const SLOW: Duration = Duration::from_secs(1);

async fn failing() -> Service {
    let panics = || async {
        if true {
            panic!("a mistake");
        }
    };
    let slow = || async {
        tokio::time::sleep(SLOW).await;
        "late"
    };
    let broken = || async {
        let cause = io::Error::other("the disk is on fire");
        Err::<(), _>(Problem::new(&INTERNAL, "It failed.").because(&cause))
    };
    let routes = Router::new()
        .route("/panic", get(panics))
        .route("/slow", get(slow))
        .route("/broken", get(broken))
        .route("/things/{id}", get(|| async { "thing" }));
    start(routes, &["--request-timeout=50ms"]).await
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_service_survives() {
    let service = failing().await;
    let answer = service.public.get("/panic").await;
    answer.expect_problem(500, "internal");
    assert!(!answer.body.contains("a mistake"), "{}", answer.body);
    let scrape = service.scrape().await;
    assert_eq!(scrape.value("http_panics_total", &[]), 1.0);
    assert_eq!(scrape.value("http_requests_total", &[("endpoint", "/panic"), ("status", "500")]), 1.0);
    service.public.get("/things/1").await.expect_status(200);
}

#[tokio::test]
async fn the_cause_of_a_failure_stays_out_of_the_body() {
    let service = failing().await;
    let answer = service.public.get("/broken?x=1").await;
    let problem = answer.expect_problem(500, "internal");
    assert_eq!(problem["instance"], "/broken");
    assert!(!answer.body.contains("fire"), "{}", answer.body);
}

#[tokio::test]
async fn a_slow_request_is_answered_at_its_deadline_with_the_protection_and_when_done_without() {
    let service = failing().await;
    let started = Instant::now();
    service.public.get("/slow").await.expect_problem(504, "timeout");
    assert!(started.elapsed() < SLOW, "{:?}", started.elapsed());

    service.running.chassis.protections.set(Protection::Timeout, false);
    let started = Instant::now();
    service.public.get("/slow").await.expect_status(200);
    assert!(started.elapsed() >= SLOW, "{:?}", started.elapsed());
    let scrape = service.scrape().await;
    assert_eq!(scrape.value("http_requests_total", &[("endpoint", "/slow"), ("status", "504")]), 1.0);
}

#[tokio::test]
async fn an_injected_error_is_counted_like_any_other() {
    let service = failing().await;
    service.admin.put("/faults/http-error?status=503&ttl=1m").await.expect_status(200);
    service.public.get("/things/1").await.expect_status(503);
    service.admin.delete("/faults/http-error").await.expect_status(200);
    service.public.get("/things/1").await.expect_status(200);
    let scrape = service.scrape().await;
    for status in ["503", "200"] {
        let labels = [("endpoint", "/things/{id}"), ("status", status)];
        assert_eq!(scrape.value("http_requests_total", &labels), 1.0);
    }
}

#[tokio::test]
async fn a_reset_connection_is_an_error_for_the_client_and_a_499_for_the_server() {
    let service = failing().await;
    service.running.chassis.faults.set("http-abort", "").expect("a plan");
    let answer = service.public.try_send(http::Method::GET, "/things/1", &[], "").await;
    assert!(answer.is_err(), "{answer:?}");
    service.reaches("http_requests_total", &[("endpoint", "/things/{id}"), ("status", "499")], 1.0).await;
}
