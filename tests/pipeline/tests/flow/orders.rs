//! From the accepted order to its outcome, through the broker, whatever the broker does.

use contracts::{
    orders::{EVENT_VERSION, OrderSettled, OrderStatus},
    topics,
};
use pipeline::{Lab, Parts, SOON, order, run, start_api, start_worker};
use testkit::{Kafka, eventually};
use uuid::Uuid;

#[test]
fn an_order_settles_and_its_payment_equals_it() {
    testkit::needs!(Postgres, Redis, Kafka);
    run(async {
        let lab = Lab::start(Parts::default()).await;
        let mut accepted = Vec::new();
        for user in 0..30 {
            accepted.push(lab.place(&order(user)).await);
        }
        let report = lab.at_rest(&accepted).await;
        assert_eq!(report.orders.values().sum::<u64>(), 30);

        let api = lab.scrape().await;
        let status = |name| api.value("orders_settled_total", &[("status", name)]);
        assert_eq!(status("completed") + status("rejected"), 30.0);
        assert_eq!(api.value("order_settle_duration_seconds_count", &[]), 30.0);
        let worker = lab.scrape_worker().await;
        let dollars = report.completed_cents as f64 / 100.0;
        assert!((worker.value("revenue_dollars_total", &[]) - dollars).abs() < 0.001, "{report}");
        assert_eq!(worker.value("order_totals_checked_total", &[("result", "mismatch")]), 0.0);
    });
}

#[test]
fn a_repeated_outcome_has_no_effect() {
    testkit::needs!(Postgres, Redis, Kafka);
    run(async {
        let lab = Lab::start(Parts::default()).await;
        let id = lab.place(&order(1)).await;
        let settled = lab.settled(&id).await;
        let outcomes = lab.kafka.read(topics::ORDER_OUTCOMES, 1, SOON).await;
        lab.kafka.publish(topics::ORDER_OUTCOMES, &id, &outcomes[0].payload, &[]).await;
        // An outcome that says the opposite is not a repetition; the first one stays.
        let opposite = OrderSettled {
            version: EVENT_VERSION,
            event_id: Uuid::now_v7(),
            order_id: Uuid::parse_str(&id).unwrap(),
            status: if settled["status"] == "completed" {
                OrderStatus::Rejected
            } else {
                OrderStatus::Completed
            },
            reason: Some("forged".to_owned()),
            settled_at: chrono::Utc::now(),
        };
        lab.kafka.publish(topics::ORDER_OUTCOMES, &id, &serde_json::to_vec(&opposite).unwrap(), &[]).await;
        consumed(&lab, "done", 2.0).await;
        consumed(&lab, "dead_letter", 1.0).await;
        assert_eq!(lab.http.get(&format!("/orders/{id}")).await.json(), settled);
        let api = lab.scrape().await;
        let sum: f64 = ["completed", "rejected"]
            .map(|s| api.value("orders_settled_total", &[("status", s)]))
            .iter()
            .sum();
        assert_eq!(sum, 1.0);
    });
}

#[test]
fn an_outcome_that_cannot_be_applied_does_not_stop_the_next() {
    testkit::needs!(Postgres, Redis, Kafka);
    run(async {
        let lab = Lab::start(Parts::default()).await;
        let pending = OrderSettled {
            version: EVENT_VERSION,
            event_id: Uuid::now_v7(),
            order_id: Uuid::now_v7(),
            status: OrderStatus::Pending,
            reason: None,
            settled_at: chrono::Utc::now(),
        };
        let unknown = OrderSettled { status: OrderStatus::Completed, ..pending.clone() };
        let newer = OrderSettled { version: 99, ..unknown.clone() };
        let json = |event: &OrderSettled| serde_json::to_vec(event).unwrap();
        let bad = [b"{".to_vec(), b"no json".to_vec(), json(&pending), json(&unknown), json(&newer)];
        for payload in &bad {
            lab.kafka.publish(topics::ORDER_OUTCOMES, "same-key", payload, &[]).await;
        }
        let id = lab.place(&order(1)).await;
        lab.settled(&id).await;
        let api = consumed(&lab, "dead_letter", 5.0).await;
        for reason in ["truncated", "malformed", "invalid", "unknown-order", "unknown-version"] {
            let labels = [("topic", topics::ORDER_OUTCOMES), ("reason", reason)];
            assert_eq!(api.value("dead_letters_total", &labels), 1.0, "{reason}");
        }
    });
}

#[test]
fn orders_settle_even_if_the_broker_loses_its_log() {
    testkit::needs!(Postgres, Redis, Kafka);
    run(async {
        let flags = vec!["--outbox-overdue=3s".to_owned()];
        let mut lab = Lab::start(Parts { no_worker: true, api_flags: flags, ..Parts::default() }).await;
        let mut accepted = Vec::new();
        for user in 0..10 {
            accepted.push(lab.place(&order(user)).await);
        }
        // All are on the broker, none is consumed: now the broker loses its log.
        let published = lab.kafka.read(topics::ORDERS, 10, SOON).await;
        assert_eq!(published.len(), 10);
        lab.api.stop().await;
        let fresh = Kafka::start();
        let users = format!("http://{}", lab.users.as_ref().unwrap().public.unwrap());
        lab.worker = Some(start_worker(&lab.fulfillment_url, fresh.brokers()).await);
        lab.api = start_api(&lab.orders_url, fresh.brokers(), &users, &[]).await;
        lab.kafka = fresh;
        // The entries were scheduled by the first life of order-api, 3 s ahead and more: what is left of that passes.
        lab.at_rest(&accepted).await;
    });
}

#[test]
fn outcomes_that_the_broker_lost_are_published_again_and_nobody_pays_twice() {
    testkit::needs!(Postgres, Redis, Kafka);
    run(async {
        let flags = vec!["--outbox-overdue=1s".to_owned()];
        let lab = Lab::start(Parts { api_flags: flags, ..Parts::default() }).await;
        let mut accepted = Vec::new();
        for user in 0..5 {
            accepted.push(lab.place(&order(user)).await);
        }
        lab.at_rest(&accepted).await;
        unsettle(&lab.orders_url).await;
        let report = lab.at_rest(&accepted).await;
        assert_eq!(report.payments.values().sum::<u64>(), 5);
        let worker = lab.scrape_worker().await;
        assert!(worker.value("orders_processed_total", &[("status", "duplicate")]) >= 5.0);
    });
}

/// Resets order-api's database to before the outcomes arrived, as if the broker had lost them.
async fn unsettle(orders_url: &str) {
    use sqlx::Connection;
    let mut connection = sqlx::PgConnection::connect(orders_url).await.unwrap();
    sqlx::raw_sql(
        "BEGIN;
         UPDATE orders SET status = 'pending', reason = NULL, settled_at = NULL;
         INSERT INTO outbox (id, topic, key, payload)
         SELECT id, 'orders', id::text, convert_to(json_build_object(
             'version', 1, 'event_id', id, 'order_id', id, 'user_id', user_id, 'items', items,
             'total_cents', total_cents, 'placed_at', created_at)::text, 'UTF8') FROM orders;
         COMMIT;",
    )
    .execute(&mut connection)
    .await
    .unwrap();
}

#[test]
fn orders_settle_after_an_outage_of_the_broker() {
    testkit::needs!(Postgres, Redis, Kafka);
    run(async {
        let lab = Lab::start(Parts::default()).await;
        let first = lab.place(&order(1)).await;
        lab.settled(&first).await;
        lab.kafka.down();
        let mut accepted = vec![first];
        for user in 0..5 {
            accepted.push(lab.place(&order(user)).await);
        }
        let waiting = || async {
            let entries = lab.scrape().await.value("outbox_entries", &[]);
            if entries >= 5.0 { Ok(()) } else { Err(format!("{entries} entries")) }
        };
        eventually(SOON, waiting).await;
        lab.kafka.up();
        lab.at_rest(&accepted).await;
    });
}

async fn consumed(lab: &Lab, outcome: &str, count: f64) -> testkit::Scrape {
    eventually(SOON, || async {
        let scrape = lab.scrape().await;
        let labels = [("topic", topics::ORDER_OUTCOMES), ("outcome", outcome)];
        let value = scrape.value("kafka_consumed_total", &labels);
        if value >= count { Ok(scrape) } else { Err(format!("{value} of {count} {outcome}")) }
    })
    .await
}
