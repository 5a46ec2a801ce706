//! Faults between order-api and user-service.

use super::{break_with, breakable, is_blind};
use crate::lab::{order, run};

/// While `plan` is on, orders are refused and the client's metrics have `outcome`; afterwards they are accepted again.
fn refuses_orders(plan: &str, outcome: &str) {
    run(async {
        let lab = breakable().await;
        let before = lab.scrape().await;
        break_with(&lab, plan).await;
        let answer = lab.http.post("/orders", &order(1)).await;
        answer.expect_problem(503, "upstream-unavailable");
        assert!(!answer.header("retry-after").is_empty());
        is_blind(&answer);
        let labels = [("peer", "user-service"), ("outcome", outcome)];
        assert!(lab.scrape().await.delta(&before, "http_client_requests_total", &labels) >= 1.0);
        lab.http.get("/orders").await.expect_status(200);
        lab.until_status(202, &order(1)).await;
    });
}

#[test]
fn upstream_error_refuses_orders() {
    testkit::needs!(Postgres, Redis);
    refuses_orders("upstream-error?ttl=2s", "server_error");
}

#[test]
fn upstream_latency_past_the_deadline_refuses_orders() {
    testkit::needs!(Postgres, Redis);
    refuses_orders("upstream-latency?delay=3s&ttl=2s", "timeout");
}

#[test]
fn upstream_unreachable_refuses_orders() {
    testkit::needs!(Postgres, Redis);
    refuses_orders("upstream-unreachable?ttl=2s", "unreachable");
}

#[test]
fn an_upstream_fault_can_be_limited_to_one_user() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = breakable().await;
        let victim = contracts::users::seeded_user_id(41);
        break_with(&lab, &format!("upstream-error?user_id={victim}&ttl=1m")).await;
        lab.http.post("/orders", &order(41)).await.expect_problem(503, "upstream-unavailable");
        lab.http.post("/orders", &order(42)).await.expect_status(202);
    });
}
