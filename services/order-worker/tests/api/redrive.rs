//! `order-worker redrive`: dead letters go back once the cause is fixed.

use contracts::topics;
use order_worker::{SERVICE, faults, redrive};

use crate::worker::{SOON, Worker, config, order};

#[tokio::test(flavor = "multi_thread")]
async fn redrive_puts_dead_letters_back_up_to_the_limit_and_continues_from_there() {
    testkit::needs!(Postgres, Kafka);
    let worker = Worker::start().await;
    // Orders that an earlier build could not read.
    let orders = [order(), order(), order()];
    for order in &orders {
        let headers = [("original.topic", topics::ORDERS), ("error.reason", "unknown-version")];
        let payload = serde_json::to_vec(order).unwrap();
        worker.kafka.publish(topics::ORDERS_DLQ, &order.order_id.to_string(), &payload, &headers).await;
    }
    let config = config(&worker.url, &worker.kafka);
    let chassis = || config.common.chassis(SERVICE, faults::CATALOGUE, faults::SUBJECT);
    let first = redrive(&config, &chassis(), 2).await.unwrap();
    assert_eq!((first.moved, first.left), (2, 1));
    let second = redrive(&config, &chassis(), 1000).await.unwrap();
    assert_eq!((second.moved, second.left), (1, 0));

    let mut paid: Vec<_> = worker.outcomes(3).await.iter().map(|outcome| outcome.order_id).collect();
    let mut expected = orders.map(|order| order.order_id).to_vec();
    paid.sort();
    expected.sort();
    assert_eq!(paid, expected);
    let back = worker.kafka.read(topics::ORDERS, 3, SOON).await;
    assert!(back.iter().all(|message| !message.headers.contains_key("error.reason")));
}
