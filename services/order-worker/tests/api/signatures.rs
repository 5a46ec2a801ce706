//! With `EVENT_KEYS`, only orders that one of the services wrote are paid.

use chassis_kafka::EventKeys;
use contracts::{orders::OrderPlaced, topics};

use crate::worker::{SOON, Worker, order};

const KEYS: &str = "k1:0123456789abcdef0123456789abcdef";

fn signature(order: &OrderPlaced, payload: &[u8]) -> String {
    EventKeys::parse(KEYS).unwrap().signature(topics::ORDERS, &order.order_id.to_string(), payload).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_without_a_valid_signature_is_dead_lettered_and_never_paid() {
    testkit::needs!(Postgres, Kafka);
    let worker = Worker::start_with(&["--event-keys", KEYS]).await;
    let good = order();
    let key = good.order_id.to_string();
    let payload = serde_json::to_vec(&good).unwrap();
    let signature = signature(&good, &payload);
    let dearer = serde_json::to_vec(&OrderPlaced { total_cents: 99_999, ..good.clone() }).unwrap();
    worker.kafka.publish(topics::ORDERS, &key, &payload, &[]).await;
    worker.kafka.publish(topics::ORDERS, &key, &dearer, &[(EventKeys::HEADER, &signature)]).await;
    worker.kafka.publish(topics::ORDERS, &key, &payload, &[(EventKeys::HEADER, &signature)]).await;

    let outcome = &worker.kafka.read(topics::ORDER_OUTCOMES, 1, SOON).await[0];
    assert!(outcome.headers["signature"].starts_with("hmac-sha256:k1:"), "{outcome:?}");
    assert_eq!(worker.payments().await, [(305, "completed".to_owned())]);
    let letters = worker.kafka.read(topics::ORDERS_DLQ, 2, SOON).await;
    let told: Vec<_> = letters.iter().map(|letter| letter.headers["error.reason"].as_str()).collect();
    assert_eq!(told, ["unsigned", "bad-signature"]);
    // Unchanged: to be accepted again they would have to be signed by someone who has the key.
    assert!(!letters[0].headers.contains_key("signature"));
    assert_eq!(letters[1].headers["signature"], signature);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_message_with_a_valid_signature_is_given_up_for_its_contents() {
    testkit::needs!(Postgres, Kafka);
    let worker = Worker::start_with(&["--event-keys", KEYS]).await;
    worker.admin.put("/faults/poison-message?interval=50ms&ttl=2s").await.expect_status(200);
    // Of the two topics that it poisons, this is its own.
    let scrape = worker.processed("dead_letter", 3.0).await;
    for reason in ["unsigned", "bad-signature"] {
        assert_eq!(scrape.value("dead_letters_total", &[("reason", reason)]), 0.0, "{reason}");
    }
}
