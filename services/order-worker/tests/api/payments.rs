//! Orders are paid once, and answered at least once.

use contracts::orders::{OrderStatus, Track};
use uuid::Uuid;

use crate::worker::{Worker, order, order_to_decline};

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_paid_and_answered() {
    testkit::needs!(Postgres, Kafka);
    let worker = Worker::start().await;
    let order = order();
    worker.publish(&order).await;
    let outcome = worker.outcomes(1).await.remove(0);
    assert_eq!((outcome.order_id, outcome.status), (order.order_id, OrderStatus::Completed));
    assert_eq!(worker.payments().await, [(305, "completed".to_owned())]);
    let scrape = worker.processed("completed", 1.0).await;
    assert!((scrape.value("revenue_dollars_total", &[]) - 3.05).abs() < 1e-9);
    assert_eq!(scrape.value("order_totals_checked_total", &[("result", "match")]), 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declined_payment_is_a_rejected_order_and_no_revenue() {
    testkit::needs!(Postgres, Kafka);
    let worker = Worker::start().await;
    worker.publish(&order_to_decline()).await;
    let mut dear = order();
    dear.items[0].unit_price_cents = 100_000_000;
    dear.total_cents = 200_000_005;
    worker.publish(&dear).await;
    let mut reasons: Vec<_> = worker.outcomes(2).await.into_iter().map(|o| (o.status, o.reason)).collect();
    reasons.sort_by(|a, b| a.1.cmp(&b.1));
    let rejected = |reason: &str| (OrderStatus::Rejected, Some(reason.to_owned()));
    assert_eq!(reasons, [rejected("insufficient-funds"), rejected("over-limit")]);
    let scrape = worker.processed("rejected", 2.0).await;
    assert_eq!(scrape.value("revenue_dollars_total", &[]), 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_order_is_answered_with_the_same_event_and_not_paid_again() {
    testkit::needs!(Postgres, Kafka);
    let worker = Worker::start().await;
    let order = order();
    worker.publish(&order).await;
    worker.outcomes(1).await;
    worker.publish(&order).await;
    // Even with a different event id and total: the order already has its payment.
    let mut forged = order.clone();
    forged.event_id = Uuid::now_v7();
    forged.total_cents = 1;
    worker.publish(&forged).await;

    let outcomes = worker.outcomes(3).await;
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{outcomes:?}");
    assert_eq!(worker.payments().await, [(305, "completed".to_owned())]);
    let scrape = worker.processed("duplicate", 2.0).await;
    assert!((scrape.value("revenue_dollars_total", &[]) - 3.05).abs() < 1e-9);
    assert_eq!(scrape.value("orders_processed_total", &[("status", "completed")]), 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_total_is_noticed_and_paid_as_published() {
    testkit::needs!(Postgres, Kafka);
    let worker = Worker::start().await;
    let mut order = order();
    order.total_cents += 100;
    worker.publish(&order).await;
    worker.outcomes(1).await;
    let scrape = worker.processed("completed", 1.0).await;
    assert_eq!(scrape.value("order_totals_checked_total", &[("result", "mismatch")]), 1.0);
    assert_eq!(worker.payments().await, [(405, "completed".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_total_counts_for_the_version_that_accepted_the_order() {
    testkit::needs!(Postgres, Kafka);
    let worker = Worker::start().await;
    for (track, more) in [(None, 0), (Some(Track::Baseline), 0), (Some(Track::Canary), 100)] {
        let mut order = order();
        (order.track, order.total_cents) = (track, order.total_cents + more);
        worker.publish(&order).await;
    }
    let scrape = worker.processed("completed", 3.0).await;
    let checked = |result: &str| {
        ["stable", "baseline", "canary"]
            .map(|track| scrape.value("order_totals_checked_total", &[("result", result), ("track", track)]))
    };
    assert_eq!((checked("match"), checked("mismatch")), ([1.0, 1.0, 0.0], [0.0, 0.0, 1.0]));
}
