//! An outcome that differs from the applied one is not applied, but not forgotten either.

use chrono::{TimeDelta, Utc};
use contracts::{
    orders::{OrderSettled, OrderStatus},
    topics,
};
use sqlx::{Connection as _, PgConnection};
use testkit::eventually;

use crate::{
    lab::{Lab, Parts, SOON, declined, order, run, start_worker},
    poison::{letters, outcome, publish},
};

async fn checked(lab: &Lab, result: &str, count: f64) {
    eventually(SOON, || async {
        let value = lab.scrape().await.value("order_outcomes_checked_total", &[("result", result)]);
        if value >= count { Ok(()) } else { Err(format!("{value} of {count} {result}")) }
    })
    .await;
}

#[test]
fn the_true_outcome_after_a_forged_one_is_counted_and_kept_as_a_dead_letter() {
    testkit::needs!(Postgres, Redis, Kafka);
    run(async {
        let lab = Lab::start(Parts { no_worker: true, ..Parts::default() }).await;
        let id = lab.place(&order(1)).await;
        let forged = OrderSettled {
            status: if declined(&id) { OrderStatus::Completed } else { OrderStatus::Rejected },
            ..outcome(&id)
        };
        publish(&lab.kafka, &forged).await;
        lab.settled(&id).await;
        checked(&lab, "consistent", 1.0).await;

        // The payment is taken anyway, and its outcome comes back.
        let _worker = start_worker(&lab.fulfillment_url, lab.kafka.brokers()).await;
        checked(&lab, "contradiction", 1.0).await;
        assert_eq!(letters(&lab.kafka, 1).await, [("contradiction".to_owned(), String::new())]);
        let letter = &lab.kafka.read(topics::ORDER_OUTCOMES_DLQ, 1, SOON).await[0];
        assert!(letter.headers["error.message"].contains(&id), "{:?}", letter.headers);
        let scrape = lab.scrape().await;
        let labels = [("topic", topics::ORDER_OUTCOMES), ("reason", "contradiction")];
        assert_eq!(scrape.value("dead_letters_total", &labels), 1.0);
        assert_eq!(scrape.value("orders_settled_total", &[]), 1.0);
    });
}

#[test]
fn an_outcome_contradicts_if_any_part_differs_but_not_if_it_is_repeated() {
    testkit::needs!(Postgres, Redis, Kafka);
    run(async {
        let lab = Lab::start(Parts { no_worker: true, ..Parts::default() }).await;
        let id = lab.place(&order(1)).await;
        let true_one = OrderSettled {
            status: OrderStatus::Rejected,
            reason: Some("insufficient-funds".to_owned()),
            ..outcome(&id)
        };
        publish(&lab.kafka, &true_one).await;
        publish(&lab.kafka, &true_one).await;
        for other in [
            OrderSettled { status: OrderStatus::Completed, ..true_one.clone() },
            OrderSettled { reason: Some("over-limit".to_owned()), ..true_one.clone() },
            OrderSettled { reason: None, ..true_one.clone() },
            OrderSettled { settled_at: true_one.settled_at - TimeDelta::milliseconds(1), ..true_one.clone() },
        ] {
            publish(&lab.kafka, &other).await;
        }
        checked(&lab, "contradiction", 4.0).await;
        let scrape = lab.scrape().await;
        assert_eq!(scrape.value("order_outcomes_checked_total", &[("result", "consistent")]), 2.0);
        assert_eq!(scrape.value("order_outcomes_checked_total", &[("result", "contradiction")]), 4.0);
        assert_eq!(lab.http.get(&format!("/orders/{id}")).await.json()["status"], "rejected");
    });
}

#[test]
fn an_outcome_from_the_future_or_before_its_order_is_refused_and_the_true_one_is_applied() {
    testkit::needs!(Postgres, Redis, Kafka);
    run(async {
        let flags = vec!["--outbox-overdue=1s".to_owned()];
        let parts = Parts { no_worker: true, api_flags: flags, ..Parts::default() };
        let lab = Lab::start(parts).await;
        let id = lab.place(&order(1)).await;
        for minutes in [2, -2, 1_000_000, -1_000_000] {
            let settled_at = Utc::now() + TimeDelta::minutes(minutes);
            let status = OrderStatus::Rejected;
            publish(&lab.kafka, &OrderSettled { settled_at, status, ..outcome(&id) }).await;
        }
        let refused = ("implausible-time".to_owned(), String::new());
        assert_eq!(letters(&lab.kafka, 4).await, vec![refused; 4]);
        assert_eq!(lab.http.get(&format!("/orders/{id}")).await.json()["status"], "pending");

        // Its outbox entry still exists: the order is published until it is settled.
        let _worker = start_worker(&lab.fulfillment_url, lab.kafka.brokers()).await;
        lab.at_rest(&[id]).await;
        assert_eq!(
            lab.scrape().await.value("order_outcomes_checked_total", &[("result", "contradiction")]),
            0.0
        );
    });
}

#[test]
fn the_runbooks_try_it_makes_a_contradiction_even_with_keys() {
    testkit::needs!(Postgres, Redis, Kafka);
    run(async {
        let event_keys = "k1:0123456789abcdef0123456789abcdef".to_owned();
        let lab = Lab::start(Parts { event_keys, ..Parts::default() }).await;
        // A paid order: the runbook does not look for declined ones.
        let mut paid = lab.place(&order(1)).await;
        while declined(&paid) {
            paid = lab.place(&order(1)).await;
        }
        lab.settled(&paid).await;

        let runbook = include_str!("../../../../runbooks/OutcomesContradict.md");
        let (_, sql) = runbook.split_once("lab psql fulfillment -c \"").unwrap();
        let (sql, _) = sql.split_once('"').unwrap();
        let mut connection = PgConnection::connect(&lab.fulfillment_url).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        checked(&lab, "contradiction", 1.0).await;
        assert_eq!(lab.settled(&paid).await["status"], "completed");
    });
}
