//! Faults of the database `orders`.

use std::time::{Duration, Instant};

use super::{answers, break_with, breakable, duration, is_blind, is_quick};
use crate::lab::{order, run};

#[test]
fn db_latency_makes_statements_slow() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = breakable().await;
        break_with(&lab, "db-latency?delay=700ms&ttl=2s").await;
        assert!(duration(&lab, "/orders").await >= Duration::from_millis(700));
        is_quick(&lab, "/orders", Duration::from_millis(600)).await;
    });
}

#[test]
fn db_slow_query_makes_statements_slow() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = breakable().await;
        // The fastest of a few: other tests use the machine too.
        let mut usual = Duration::MAX;
        for _ in 0..5 {
            usual = usual.min(duration(&lab, "/orders").await);
        }
        break_with(&lab, "db-slow-query?rows=500000&ttl=3s").await;
        let struck = duration(&lab, "/orders").await;
        assert!(struck > usual * 3, "{usual:?} -> {struck:?}");
        is_quick(&lab, "/orders", struck / 2).await;
    });
}

#[test]
fn db_error_answers_503() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = breakable().await;
        let before = lab.scrape().await;
        break_with(&lab, "db-error?ttl=2s").await;
        let answer = lab.http.get("/orders").await;
        answer.expect_problem(503, "storage-unavailable");
        is_blind(&answer);
        lab.http.post("/orders", &order(1)).await.expect_problem(503, "storage-unavailable");
        let labels = [("database", "orders"), ("kind", "unavailable")];
        assert!(lab.scrape().await.delta(&before, "database_errors_total", &labels) >= 2.0);
        answers(&lab, "/orders", 200).await;
    });
}

#[test]
fn db_pool_exhaustion_leaves_no_connection() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = breakable().await;
        break_with(&lab, "db-pool-exhaustion?ttl=6s").await;
        answers(&lab, "/orders", 503).await.expect_problem(503, "storage-unavailable");
        let scrape = lab.scrape().await;
        let gauge = |name: &str| scrape.value(name, &[("database", "orders")]);
        assert_eq!(gauge("database_connections_active"), gauge("database_connections_max"));
        assert!(scrape.value("database_errors_total", &[("kind", "pool_timeout")]) >= 1.0);
        answers(&lab, "/orders", 200).await;
    });
}

#[test]
fn db_lock_makes_orders_wait_for_the_table() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = breakable().await;
        break_with(&lab, "db-lock?hold=1500ms&ttl=4s").await;
        let mut longest = Duration::ZERO;
        let start = Instant::now();
        while longest < Duration::from_millis(500) && start.elapsed() < Duration::from_secs(4) {
            let one = Instant::now();
            lab.http.post("/orders", &order(1)).await;
            longest = longest.max(one.elapsed());
        }
        assert!(longest >= Duration::from_millis(500), "{longest:?}");
        lab.until_status(202, &order(1)).await;
        is_quick(&lab, "/orders", Duration::from_millis(500)).await;
    });
}
