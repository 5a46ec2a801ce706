//! An unreadable message goes to the dead-letter topic with its reason, and the next one is handled.

use contracts::topics;
use serde_json::{Value, json};

use crate::worker::{SOON, Worker, order};

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_message_is_dead_lettered_with_the_reason_and_the_next_is_paid() {
    testkit::needs!(Postgres, Kafka);
    let worker = Worker::start().await;
    let good = order();
    let whole = serde_json::to_vec(&good).unwrap();
    let with = |patch: &dyn Fn(&mut Value)| {
        let mut event = serde_json::to_value(order()).unwrap();
        patch(&mut event);
        serde_json::to_vec(&event).unwrap()
    };
    let bad: [(Vec<u8>, &str); 9] = [
        (b"not json".to_vec(), "malformed"),
        (b"\xff\xfe\x00".to_vec(), "malformed"),
        (Vec::new(), "truncated"),
        (whole[..whole.len() - 20].to_vec(), "truncated"),
        (with(&|event| event["version"] = json!(2)), "unknown-version"),
        (with(&|event| event["order_id"] = json!("none")), "malformed"),
        (with(&|event| event["total_cents"] = json!(-5)), "invalid"),
        (with(&|event| event["items"][0]["unit_price_cents"] = json!(i64::MAX)), "invalid"),
        (
            with(&|event| {
                event.as_object_mut().unwrap().remove("items");
            }),
            "malformed",
        ),
    ];
    // One key means one partition: if one of them blocked it, the good one would not be handled.
    let key = good.order_id.to_string();
    for (payload, _) in &bad {
        worker.kafka.publish(topics::ORDERS, &key, payload, &[("x-custom", "kept")]).await;
    }
    worker.publish(&good).await;
    assert_eq!(worker.outcomes(1).await[0].order_id, good.order_id);

    let mut letters = worker.kafka.read(topics::ORDERS_DLQ, bad.len(), SOON).await;
    assert_eq!(letters.len(), bad.len());
    letters.sort_by_key(|letter| letter.headers["original.offset"].parse::<i64>().unwrap());
    for (letter, (payload, reason)) in letters.iter().zip(&bad) {
        assert_eq!(&letter.payload, payload);
        assert_eq!(letter.headers["error.reason"], *reason, "{:?}", letter.headers);
        assert_eq!(letter.headers["original.topic"], topics::ORDERS);
        assert_eq!(letter.headers["x-custom"], "kept");
        assert!(!letter.headers["error.message"].is_empty());
    }
    let scrape = worker.processed("dead_letter", 9.0).await;
    for (reason, count) in
        [("malformed", 4.0), ("truncated", 2.0), ("unknown-version", 1.0), ("invalid", 2.0)]
    {
        let labels = [("topic", topics::ORDERS), ("reason", reason)];
        assert_eq!(scrape.value("dead_letters_total", &labels), count, "{reason}");
    }
}
