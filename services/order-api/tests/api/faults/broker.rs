//! Faults of publishing and consuming: orders settle late, but once, and none is lost.

use std::time::{Duration, Instant};

use contracts::topics;
use testkit::eventually;

use super::{break_with, breakable};
use crate::lab::{Lab, SOON, order, run};

/// Waits until a series of order-api has grown by `by` since `before`.
async fn grows(lab: &Lab, before: &testkit::Scrape, name: &str, labels: &[(&str, &str)], by: f64) {
    eventually(SOON, || async {
        let grown = lab.scrape().await.delta(before, name, labels);
        if grown >= by { Ok(()) } else { Err(format!("{name} grew by {grown} of {by}")) }
    })
    .await;
}

#[test]
fn publish_error_keeps_orders_in_the_outbox_until_it_ends() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = breakable().await;
        let before = lab.scrape().await;
        break_with(&lab, "publish-error?ttl=4s").await;
        let id = lab.place(&order(1)).await;
        grows(
            &lab,
            &before,
            "kafka_published_total",
            &[("topic", topics::ORDERS), ("outcome", "error")],
            1.0,
        )
        .await;
        assert_eq!(lab.http.get(&format!("/orders/{id}")).await.json()["status"], "pending");
        lab.at_rest(&[id]).await;
    });
}

#[test]
fn publish_duplicate_has_no_second_effect() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = breakable().await;
        let duplicates = [("status", "duplicate")];
        let before = lab.scrape_worker().await;
        break_with(&lab, "publish-duplicate?copies=3&ttl=2s").await;
        let id = lab.place(&order(1)).await;
        eventually(SOON, || async {
            let grown = lab.scrape_worker().await.delta(&before, "orders_processed_total", &duplicates);
            if grown >= 3.0 { Ok(()) } else { Err(format!("{grown} duplicates")) }
        })
        .await;
        lab.at_rest(&[id]).await;
    });
}

#[test]
fn queue_flood_fills_the_topic_and_orders_still_settle_once() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = breakable().await;
        let before = lab.scrape().await;
        break_with(&lab, "queue-flood?rps=300&ttl=2s").await;
        let id = lab.place(&order(1)).await;
        grows(&lab, &before, "kafka_published_total", &[("outcome", "ok")], 100.0).await;
        lab.at_rest(&[id]).await;
    });
}

#[test]
fn poison_messages_are_dead_lettered_and_orders_still_settle() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = breakable().await;
        let before = lab.scrape_worker().await;
        break_with(&lab, "poison-message?interval=50ms&ttl=3s").await;
        let id = lab.place(&order(1)).await;
        eventually(SOON, || async {
            let dead = [("status", "dead_letter")];
            let grown = lab.scrape_worker().await.delta(&before, "orders_processed_total", &dead);
            if grown >= 5.0 { Ok(()) } else { Err(format!("{grown} dead letters")) }
        })
        .await;
        lab.at_rest(&[id]).await;
    });
}

#[test]
fn consumer_slow_settles_orders_late() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = breakable().await;
        break_with(&lab, "consumer-slow?delay=1500ms&ttl=2s").await;
        let start = Instant::now();
        let id = lab.place(&order(1)).await;
        lab.settled(&id).await;
        assert!(start.elapsed() >= Duration::from_millis(1500));
        lab.at_rest(&[id]).await;
    });
}

#[test]
fn consumer_pause_lets_the_lag_grow_until_it_ends() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = breakable().await;
        break_with(&lab, "consumer-pause?ttl=6s").await;
        let mut accepted = Vec::new();
        for user in 0..8 {
            accepted.push(lab.place(&order(user)).await);
        }
        eventually(SOON, || async {
            let waiting = lab.scrape().await.value("queue_size", &[("queue_name", topics::ORDER_OUTCOMES)]);
            if waiting >= 4.0 { Ok(()) } else { Err(format!("{waiting} waiting")) }
        })
        .await;
        lab.at_rest(&accepted).await;
    });
}

#[test]
fn a_rebalance_storm_keeps_moving_partitions() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = breakable().await;
        let before = lab.scrape().await;
        break_with(&lab, "rebalance-storm?interval=1s&ttl=20s").await;
        let id = lab.place(&order(1)).await;
        grows(&lab, &before, "kafka_rebalances_total", &[("group", topics::GROUP_ORDER_API)], 2.0).await;
        lab.at_rest(&[id]).await;
    });
}

#[test]
fn commit_skip_lets_the_lag_grow_while_orders_settle() {
    testkit::needs!(Postgres, Redis);
    run(async {
        let lab = breakable().await;
        break_with(&lab, "commit-skip?ttl=5s").await;
        let mut accepted = Vec::new();
        for user in 0..8 {
            accepted.push(lab.place(&order(user)).await);
        }
        lab.at_rest(&accepted).await;
        let lag = async || lab.scrape().await.value("queue_size", &[("queue_name", topics::ORDER_OUTCOMES)]);
        eventually(SOON, async || match lag().await {
            waiting if waiting >= 4.0 => Ok(()),
            waiting => Err(format!("{waiting} not committed")),
        })
        .await;
        eventually(SOON, async || match lag().await {
            0.0 => Ok(()),
            waiting => Err(format!("{waiting} still not committed")),
        })
        .await;
    });
}
