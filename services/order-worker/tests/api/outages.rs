//! While the database is away, or transactions lose conflicts, orders wait; none is lost or dead-lettered.

use contracts::topics;
use testkit::eventually;

use crate::worker::{SOON, Worker, order};

#[tokio::test(flavor = "multi_thread")]
async fn orders_wait_for_the_database_and_are_then_paid() {
    testkit::needs!(Postgres, Kafka);
    let worker = Worker::start().await;
    worker.database.cut();
    let orders = [order(), order(), order()];
    for order in &orders {
        worker.publish(order).await;
    }
    eventually(SOON, || async {
        let retries = worker.scrape().await.value("kafka_retries_total", &[("topic", topics::ORDERS)]);
        if retries >= 3.0 { Ok(()) } else { Err(format!("{retries} retries")) }
    })
    .await;
    let ready = worker.admin.get("/readyz").await;
    assert!(ready.status == 503 && ready.body.contains("postgres"), "{}", ready.body);

    worker.database.restore();
    worker.outcomes(3).await;
    assert_eq!(worker.payments().await.len(), 3);
    worker.ready().await;
    let dead = worker.scrape().await.value("orders_processed_total", &[("status", "dead_letter")]);
    assert_eq!(dead, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_transaction_deadlocks_is_tried_again() {
    testkit::needs!(Postgres, Kafka);
    let worker = Worker::start().await;
    // Two rows that other sessions can lock.
    worker.publish(&order()).await;
    worker.publish(&order()).await;
    worker.outcomes(2).await;
    worker.admin.put("/faults/db-deadlock?ttl=3s").await.expect_status(200);
    worker.publish(&order()).await;
    worker.outcomes(3).await;
    let scrape = worker.processed("completed", 3.0).await;
    assert!(scrape.value("kafka_retries_total", &[("topic", topics::ORDERS)]) >= 1.0);
    assert!(scrape.value("database_errors_total", &[("kind", "conflict")]) >= 1.0);
}
