//! Faults at the public port.

use std::time::Duration;

use ::http::Method;
use testkit::eventually;

use super::{answers, break_with, breakable, duration, is_blind, is_quick};
use crate::lab::{SOON, run};

#[test]
fn http_error_fails_one_route_with_the_requested_status() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = breakable().await;
        let before = lab.scrape().await;
        break_with(&lab, "http-error?status=502&route=/orders&ttl=2s").await;
        let answer = lab.http.get("/orders").await;
        answer.expect_status(502);
        is_blind(&answer);
        assert_ne!(lab.http.get("/openapi.json").await.status, 502);
        let labels = [("endpoint", "/orders"), ("method", "GET"), ("status", "502")];
        let scrape = lab.scrape().await;
        assert!(
            scrape.value("http_requests_total", &labels)
                - before.find("http_requests_total", &labels).unwrap_or(0.0)
                >= 1.0
        );
        answers(&lab, "/orders", 200).await;
    });
}

#[test]
fn http_latency_makes_requests_wait() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = breakable().await;
        break_with(&lab, "http-latency?delay=700ms&ttl=2s").await;
        assert!(duration(&lab, "/orders").await >= Duration::from_millis(700));
        is_quick(&lab, "/orders", Duration::from_millis(600)).await;
    });
}

#[test]
fn http_hang_holds_requests_until_the_request_timeout() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = breakable().await;
        break_with(&lab, "http-hang?route=/orders&ttl=3s").await;
        let (answer, ()) = tokio::join!(lab.http.get("/orders"), async {
            eventually(SOON, || async {
                let held = lab.scrape().await.value("http_requests_in_flight", &[]);
                if held >= 1.0 { Ok(()) } else { Err("none in flight".to_owned()) }
            })
            .await;
        });
        answer.expect_status(504);
        answers(&lab, "/orders", 200).await;
    });
}

#[test]
fn http_abort_resets_the_connection() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = breakable().await;
        break_with(&lab, "http-abort?ttl=2s").await;
        assert!(lab.http.try_send(Method::GET, "/orders", &[], "").await.is_err());
        answers(&lab, "/orders", 200).await;
    });
}
