//! With `EVENT_KEYS`, only messages of the services are accepted.

use chassis_kafka::EventKeys;
use clap::Parser as _;
use contracts::{
    orders::{OrderSettled, OrderStatus},
    topics,
};
use testkit::eventually;

use crate::{
    lab::{Lab, Parts, SOON, order, run, start_worker_with},
    poison::{letters, outcome},
};

const OLD: &str = "old:0123456789abcdef0123456789abcdef";
const NEW: &str = "new:fedcba9876543210fedcba9876543210";

async fn publish(lab: &Lab, keys: &str, event: &OrderSettled) {
    let (keys, payload) = (EventKeys::parse(keys).unwrap(), serde_json::to_vec(event).unwrap());
    let signature = keys.signature(topics::ORDER_OUTCOMES, "k", &payload);
    let headers: Vec<_> = signature.iter().map(|value| (EventKeys::HEADER, value.as_str())).collect();
    lab.kafka.publish(topics::ORDER_OUTCOMES, "k", &payload, &headers).await;
}

#[test]
fn a_forged_outcome_is_dead_lettered_and_the_order_is_settled_by_the_true_one() {
    testkit::needs!(Postgres, Redis, Kafka);
    run(async {
        let keys = OLD.to_owned();
        let lab = Lab::start(Parts { no_worker: true, event_keys: keys, ..Parts::default() }).await;
        let id = lab.place(&order(1)).await;
        let forged = OrderSettled { status: OrderStatus::Rejected, ..outcome(&id) };
        publish(&lab, "", &forged).await;
        publish(&lab, NEW, &forged).await;
        let told: Vec<_> = letters(&lab.kafka, 2).await.into_iter().map(|(reason, _)| reason).collect();
        assert_eq!(told, ["unsigned", "bad-signature"]);
        for reason in ["unsigned", "bad-signature"] {
            let labels = [("topic", topics::ORDER_OUTCOMES), ("reason", reason)];
            assert_eq!(lab.scrape().await.value("dead_letters_total", &labels), 1.0, "{reason}");
        }
        assert_eq!(lab.http.get(&format!("/orders/{id}")).await.json()["status"], "pending");

        let flag = format!("--event-keys={OLD}");
        let _worker = start_worker_with(&lab.fulfillment_url, lab.kafka.brokers(), &[&flag]).await;
        lab.at_rest(&[id]).await;
    });
}

#[test]
fn a_key_is_replaced_while_orders_flow_and_none_is_lost() {
    testkit::needs!(Postgres, Redis, Kafka);
    run(async {
        // Half-way: order-api already signs with the new key, order-worker still with the old one.
        let keys = format!("{NEW},{OLD}");
        let lab = Lab::start(Parts { no_worker: true, event_keys: keys, ..Parts::default() }).await;
        let flag = format!("--event-keys={OLD},{NEW}");
        let worker = start_worker_with(&lab.fulfillment_url, lab.kafka.brokers(), &[&flag]).await;
        let mut accepted = Vec::new();
        for user in 0..5 {
            accepted.push(lab.place(&order(user)).await);
        }
        lab.at_rest(&accepted).await;
        for admin in [lab.api.admin, worker.admin] {
            assert_eq!(testkit::Scrape::of(admin).await.value("dead_letters_total", &[]), 0.0);
        }
        let signed = |topic| lab.kafka.read(topic, 5, SOON);
        for (topic, id) in [(topics::ORDERS, "new"), (topics::ORDER_OUTCOMES, "old")] {
            for record in signed(topic).await {
                assert!(record.headers["signature"].starts_with(&format!("hmac-sha256:{id}:")), "{record:?}");
            }
        }
    });
}

#[test]
fn a_redriven_outcome_keeps_its_signature_and_a_forged_one_does_not_get_any() {
    testkit::needs!(Postgres, Redis, Kafka);
    run(async {
        let keys = OLD.to_owned();
        let lab = Lab::start(Parts { no_worker: true, event_keys: keys, ..Parts::default() }).await;
        let id = lab.place(&order(1)).await;
        // An outcome for a database that was restored to before the order: given up first, true later.
        let early = outcome(&uuid::Uuid::now_v7().to_string());
        publish(&lab, OLD, &early).await;
        publish(&lab, "", &outcome(&id)).await;
        assert_eq!(letters(&lab.kafka, 2).await.len(), 2);
        sqlx::query("UPDATE orders SET id = $1")
            .bind(early.order_id)
            .execute(&mut lab.orders().await)
            .await
            .unwrap();

        let flags = [
            "order-api",
            "--database-url=postgres://127.0.0.1/unused",
            &format!("--kafka-brokers={}", lab.kafka.brokers()),
            &format!("--event-keys={OLD}"),
            "redrive",
        ];
        let config = order_api::OrderApiConfig::parse_from(flags);
        let chassis = config.common.chassis(
            order_api::SERVICE,
            order_api::faults::CATALOGUE,
            order_api::faults::SUBJECT,
        );
        let redriven = order_api::redrive(&config, &chassis, 10).await.unwrap();
        assert_eq!((redriven.moved, redriven.left), (2, 0));

        lab.settled(&early.order_id.to_string()).await;
        eventually(SOON, || async {
            let labels = [("topic", topics::ORDER_OUTCOMES), ("reason", "unsigned")];
            let count = lab.scrape().await.value("dead_letters_total", &labels);
            if count == 2.0 { Ok(()) } else { Err(format!("{count} unsigned")) }
        })
        .await;
    });
}
