//! What callers see while a dependency of order-api is down, and after it is back.

use pipeline::{Lab, Parts, SOON, order, run};
use testkit::eventually;

#[test]
fn place_order_answers_503_while_user_service_is_down_and_the_breaker_opens() {
    testkit::needs!(Postgres, Redis, Kafka);
    run(async {
        let mut lab = Lab::start(Parts { no_worker: true, ..Parts::default() }).await;
        lab.place(&order(1)).await;
        lab.users.take().unwrap().stop().await;

        let peer = [("peer", "user-service")];
        let answer = lab.http.post("/orders", &order(1)).await;
        answer.expect_problem(503, "upstream-unavailable");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
        eventually(SOON, || async {
            lab.http.post("/orders", &order(1)).await.expect_problem(503, "upstream-unavailable");
            let state = lab.scrape().await.value("circuit_breaker_state", &peer);
            if state == 2.0 { Ok(()) } else { Err(format!("the breaker is {state}")) }
        })
        .await;
        let refused = lab.scrape().await;
        let labels = [("peer", "user-service"), ("reason", "circuit_breaker")];
        let before = refused.value("http_client_refused_total", &labels);
        lab.http.post("/orders", &order(1)).await.expect_problem(503, "upstream-unavailable");
        let after = lab.scrape().await.value("http_client_refused_total", &labels);
        assert!(after > before, "{before} -> {after}");

        // Requests that need no user still succeed.
        lab.http.get("/orders").await.expect_status(200);
    });
}

#[test]
fn every_route_answers_503_while_the_database_is_down_and_recovers() {
    testkit::needs!(Postgres, Redis, Kafka);
    run(async {
        let lab = Lab::start(Parts { database_proxy: true, ..Parts::default() }).await;
        let first = lab.place(&order(1)).await;
        let database = lab.database_proxy.as_ref().unwrap();

        database.cut();
        let placed = lab.until_status(503, &order(1)).await;
        placed.expect_problem(503, "storage-unavailable");
        assert!(placed.header("retry-after").parse::<u64>().unwrap() >= 1);
        for path in ["/orders".to_owned(), format!("/orders/{first}")] {
            // Not 504: they do not wait until the request's own time is over.
            lab.http.get(&path).await.expect_problem(503, "storage-unavailable");
        }
        let ready = lab.admin.get("/readyz").await;
        assert_eq!(ready.status, 503);
        assert!(ready.body.contains("postgres"), "{}", ready.body);

        database.restore();
        let accepted = lab.until_status(202, &order(1)).await.json()["id"].as_str().unwrap().to_owned();
        lab.ready().await;
        lab.at_rest(&[first, accepted]).await;
    });
}

#[test]
fn an_outcome_waits_for_the_database_and_is_then_applied() {
    testkit::needs!(Postgres, Redis, Kafka);
    run(async {
        let lab = Lab::start(Parts { database_proxy: true, ..Parts::default() }).await;
        lab.admin.put("/faults/consumer-pause?ttl=1m").await.expect_status(200);
        let accepted = vec![lab.place(&order(1)).await, lab.place(&order(2)).await];
        let outcomes = lab.kafka.read(contracts::topics::ORDER_OUTCOMES, 2, SOON).await;
        assert_eq!(outcomes.len(), 2);
        let database = lab.database_proxy.as_ref().unwrap();
        database.cut();
        lab.admin.delete("/faults/consumer-pause").await;
        eventually(SOON, || async {
            let retries = lab.scrape().await.value("kafka_retries_total", &[("topic", "order-outcomes")]);
            if retries >= 1.0 { Ok(()) } else { Err("no retry yet".to_owned()) }
        })
        .await;
        database.restore();
        lab.at_rest(&accepted).await;
        let dead = lab.scrape().await;
        assert_eq!(
            dead.value("kafka_consumed_total", &[("topic", "order-outcomes"), ("outcome", "dead_letter")]),
            0.0
        );
    });
}
