//! What becomes of an outcome: a mail or a push message, and the dead-letter queue if nobody takes it.

use contracts::orders::OrderStatus;
use notifier::{SERVICE, faults, redrive};

use crate::rig::{Rig, Sqs, config};

#[tokio::test(flavor = "multi_thread")]
async fn a_paid_order_is_mailed_and_a_refused_one_pushed() {
    testkit::needs!(Kafka, S3Emulators);
    let sqs = Sqs::start().await;
    let rig = Rig::start(&sqs, &[]).await;
    rig.settle(OrderStatus::Completed).await;
    rig.settle(OrderStatus::Rejected).await;
    for queue in ["email_queue", "notification_queue"] {
        rig.reaches("notifications_queued_total", queue, 1.0).await;
        rig.reaches("notifications_delivered_total", queue, 1.0).await;
    }
    rig.kafka.publish(contracts::topics::ORDER_OUTCOMES, "k", b"{", &[]).await;
    let letters = rig.kafka.read(contracts::topics::NOTIFICATIONS_DLQ, 1, crate::rig::SOON).await;
    assert_eq!(letters.len(), 1, "what cannot be read is kept");
    let scrape = rig.scrape().await;
    for queue in ["email_queue", "notification_queue"] {
        assert_eq!(scrape.value("notifications_failed_total", &[("queue_name", queue)]), 0.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_provider_takes_is_tried_again_and_then_kept_in_the_dead_letter_queue() {
    testkit::needs!(Kafka, S3Emulators);
    let sqs = Sqs::start().await;
    let rig = Rig::start(&sqs, &["--visibility", "1s", "--attempts", "2"]).await;
    rig.admin.put("/faults/notify-fail").await.expect_status(200);
    rig.settle(OrderStatus::Rejected).await;
    rig.reaches("notifications_failed_total", "notification_queue", 2.0).await;
    rig.reaches("queue_size", "notification_dlq", 1.0).await;
    let scrape = rig.scrape().await;
    assert_eq!(scrape.value("notifications_delivered_total", &[("queue_name", "notification_queue")]), 0.0);

    // A provider that answers when others may have the notification again has not taken it.
    rig.admin.delete("/faults/notify-fail").await.expect_status(200);
    rig.admin.put("/faults/notify-slow?delay=5s").await.expect_status(200);
    rig.settle(OrderStatus::Completed).await;
    rig.reaches("notifications_failed_total", "email_queue", 2.0).await;
    rig.reaches("queue_size", "notification_dlq", 2.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_goes_back_into_its_own_queue_up_to_the_limit_and_is_delivered() {
    testkit::needs!(Kafka, S3Emulators);
    let sqs = Sqs::start().await;
    let flags = ["--visibility", "1s", "--attempts", "1"];
    let rig = Rig::start(&sqs, &flags).await;
    rig.admin.put("/faults/notify-fail").await.expect_status(200);
    rig.settle(OrderStatus::Completed).await;
    rig.settle(OrderStatus::Rejected).await;
    rig.reaches("queue_size", "notification_dlq", 2.0).await;
    rig.admin.delete("/faults/notify-fail").await.expect_status(200);

    let config = config(&sqs, &rig.kafka, &flags);
    let chassis = || config.common.chassis(SERVICE, faults::CATALOGUE, faults::SUBJECT);
    for (limit, moved, left) in [(0, 0, 2), (1, 1, 1), (1000, 1, 0)] {
        let report = redrive(&config, &chassis(), limit).await.unwrap();
        assert_eq!((report.moved, report.unknown_origin, report.left), (moved, 0, left), "limit {limit}");
    }
    for queue in ["email_queue", "notification_queue"] {
        rig.reaches("notifications_delivered_total", queue, 1.0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_that_exist_take_over_what_is_configured() {
    testkit::needs!(Kafka, S3Emulators);
    let sqs = Sqs::start().await;
    let (first, second) =
        tokio::join!(Rig::start(&sqs, &[]), Rig::start(&sqs, &["--visibility", "2s", "--attempts", "5"]));
    for rig in [&first, &second] {
        rig.settle(OrderStatus::Completed).await;
        rig.reaches("notifications_queued_total", "email_queue", 1.0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_that_are_gone_are_created_again_and_nothing_that_was_not_queued_is_lost() {
    testkit::needs!(Kafka, S3Emulators);
    let sqs = Sqs::start().await;
    let rig = Rig::start(&sqs, &[]).await;
    rig.settle(OrderStatus::Completed).await;
    rig.reaches("notifications_delivered_total", "email_queue", 1.0).await;
    let address = sqs.kill();
    rig.settle(OrderStatus::Completed).await;
    let _sqs = Sqs::start_at(address).await;
    rig.reaches("notifications_delivered_total", "email_queue", 2.0).await;
}
