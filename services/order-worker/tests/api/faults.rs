//! Each fault point at order-worker's boundaries: switched on, seen as an operator sees it, and ends by itself; meanwhile no
//! order is lost or paid twice.

use std::time::{Duration, Instant};

use contracts::topics;
use testkit::{Scrape, eventually};

use crate::worker::{SOON, Worker, order};

async fn break_with(worker: &Worker, plan: &str) {
    worker.admin.put(&format!("/faults/{plan}")).await.expect_status(200);
}

/// Waits until a series has grown by `by` since `before`.
async fn grows(worker: &Worker, before: &Scrape, name: &str, labels: &[(&str, &str)], by: f64) {
    eventually(SOON, || async {
        let grown = worker.scrape().await.find(name, labels).unwrap_or(0.0)
            - before.find(name, labels).unwrap_or(0.0);
        if grown >= by { Ok(()) } else { Err(format!("{name} grew by {grown} of {by}")) }
    })
    .await;
}

/// Publishes an order and waits for its payment; returns how long that took.
async fn pays(worker: &Worker) -> Duration {
    let (start, before) = (Instant::now(), worker.payments().await.len());
    worker.publish(&order()).await;
    eventually(SOON, || async {
        let paid = worker.payments().await.len();
        if paid > before { Ok(()) } else { Err(format!("{paid} payments")) }
    })
    .await;
    start.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn database_faults_delay_payments_and_lose_none() {
    testkit::needs!(Postgres);
    let worker = Worker::start().await;
    pays(&worker).await;
    break_with(&worker, "db-latency?delay=600ms&ttl=2s").await;
    assert!(pays(&worker).await >= Duration::from_millis(600), "db-latency");

    let before = worker.scrape().await;
    break_with(&worker, "db-error?ttl=2s").await;
    assert!(pays(&worker).await >= Duration::from_millis(400), "db-error");
    assert!(worker.scrape().await.delta(&before, "database_errors_total", &[("kind", "unavailable")]) >= 1.0);

    let before = worker.scrape().await;
    break_with(&worker, "db-pool-exhaustion?ttl=4s").await;
    grows(&worker, &before, "database_errors_total", &[("kind", "pool_timeout")], 1.0).await;
    pays(&worker).await;

    break_with(&worker, "db-lock?hold=2s&ttl=3s").await;
    pays(&worker).await;
    assert_eq!(worker.payments().await.len(), 5);
    assert_eq!(worker.scrape().await.value("orders_processed_total", &[("status", "dead_letter")]), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_faults_delay_or_repeat_outcomes_and_lose_none() {
    testkit::needs!(Postgres);
    let worker = Worker::start().await;
    pays(&worker).await;
    let before = worker.scrape().await;
    let outcomes = |outcome| [("topic", topics::ORDER_OUTCOMES), ("outcome", outcome)];
    break_with(&worker, "publish-error?ttl=6s").await;
    pays(&worker).await;
    grows(&worker, &before, "kafka_published_total", &outcomes("error"), 1.0).await;
    worker.outcomes(2).await;

    break_with(&worker, "publish-duplicate?copies=2&ttl=6s").await;
    pays(&worker).await;
    let mut sent: Vec<_> = worker.outcomes(5).await.iter().map(|outcome| outcome.event_id).collect();
    sent.sort();
    sent.dedup();
    assert_eq!(sent.len(), 3, "three events, one of them three times");

    let before = worker.scrape().await;
    break_with(&worker, "queue-flood?rps=200&ttl=2s").await;
    grows(&worker, &before, "kafka_published_total", &[("outcome", "ok")], 50.0).await;
    pays(&worker).await;

    let before = worker.scrape().await;
    break_with(&worker, "poison-message?interval=50ms&ttl=2s").await;
    grows(&worker, &before, "orders_processed_total", &[("status", "dead_letter")], 3.0).await;
    pays(&worker).await;
    assert_eq!(worker.payments().await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn consuming_faults_delay_payments_and_repeat_none() {
    testkit::needs!(Postgres);
    let worker = Worker::start().await;
    pays(&worker).await;
    break_with(&worker, "consumer-slow?delay=700ms&ttl=2s").await;
    assert!(pays(&worker).await >= Duration::from_millis(700), "consumer-slow");

    let queue = [("queue_name", topics::ORDERS)];
    break_with(&worker, "consumer-pause?ttl=5s").await;
    let before = worker.payments().await.len();
    for _ in 0..8 {
        worker.publish(&order()).await;
    }
    eventually(SOON, || async {
        let lag = worker.scrape().await.value("queue_size", &queue);
        if lag >= 4.0 { Ok(()) } else { Err(format!("{lag} waiting")) }
    })
    .await;
    eventually(SOON, || async {
        let paid = worker.payments().await.len() - before;
        if paid >= 8 { Ok(()) } else { Err(format!("{paid} paid after the pause")) }
    })
    .await;

    break_with(&worker, "commit-skip?ttl=5s").await;
    for _ in 0..4 {
        pays(&worker).await;
    }
    eventually(SOON, || async {
        let lag = worker.scrape().await.value("queue_size", &queue);
        if lag >= 3.0 { Ok(()) } else { Err(format!("{lag} not committed")) }
    })
    .await;
    eventually(SOON, || async {
        let lag = worker.scrape().await.value("queue_size", &queue);
        if lag == 0.0 { Ok(()) } else { Err(format!("{lag} still not committed")) }
    })
    .await;

    let before = worker.scrape().await;
    break_with(&worker, "rebalance-storm?interval=4s&ttl=14s").await;
    grows(&worker, &before, "kafka_rebalances_total", &[], 2.0).await;
    pays(&worker).await;
    assert_eq!(worker.payments().await.len(), 15);
}
