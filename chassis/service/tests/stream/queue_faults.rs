//! The faults of consuming, each with what a metric shows, and that it expires.

use std::time::Duration;

use testkit::eventually;

use crate::support::{PATIENCE, Pipeline, TOPIC, broker};

async fn over(pipeline: &Pipeline, fault: &str) {
    let mut points = pipeline.chassis.faults.points();
    let point = points.find(|point| point.name() == fault).expect("a fault of the catalogue");
    eventually(PATIENCE, || async { point.active().map_or(Ok(()), |_| Err("still on".to_owned())) }).await;
}

/// Publishes messages until one stays where it is: a pause reaches the client's fetcher a moment after the plan is set.
async fn stands_still(pipeline: &Pipeline) {
    eventually(PATIENCE, || async {
        let before = consumed(pipeline);
        pipeline.publish("k", "ok probe").await;
        let taken = pipeline.reaches("kafka_consumed_total", &[("outcome", "done")], |done| done > before);
        match tokio::time::timeout(Duration::from_secs(1), taken).await {
            Ok(()) => Err("it is consumed".to_owned()),
            Err(_) => Ok(()),
        }
    })
    .await;
}

fn consumed(pipeline: &Pipeline) -> f64 {
    pipeline.scrape().value("kafka_consumed_total", &[("topic", TOPIC), ("outcome", "done")])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn poison_messages_become_dead_letters_of_each_kind_and_good_ones_are_handled() {
    let broker = broker();
    let pipeline = Pipeline::start(broker.brokers()).await;
    pipeline.publish("k", r#"{"version":1,"event_id":"x"}"#).await;
    pipeline.chassis.faults.set("poison-message", "interval=50ms&ttl=2s").expect("a plan");
    pipeline.reaches("dead_letters_total", &[("reason", "malformed")], |letters| letters >= 2.0).await;
    let version_to_come = |payload: &String| payload.contains(r#""version":99"#);
    eventually(PATIENCE, || async {
        let seen = pipeline.recorder.payloads();
        if seen.iter().any(version_to_come) { Ok(()) } else { Err(format!("{seen:?}")) }
    })
    .await;
    pipeline.publish("k", "ok good").await;
    pipeline.recorder.sees("ok good").await;
    over(&pipeline, "poison-message").await;
    pipeline.drains().await;
    let count = pipeline.recorder.payloads().len();
    pipeline.publish("k", "ok later").await;
    pipeline.recorder.sees("ok later").await;
    assert_eq!(pipeline.recorder.payloads().len(), count + 1, "nothing else came");
    pipeline.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consumer_slow_delays_each_message_and_ends() {
    let broker = broker();
    let pipeline = Pipeline::start(broker.brokers()).await;
    pipeline.chassis.faults.set("consumer-slow", "delay=300ms&ttl=1500ms").expect("a plan");
    for number in 0..3 {
        pipeline.publish("k", &format!("ok {number}")).await;
    }
    pipeline.reaches("kafka_consumed_total", &[("outcome", "done")], |done| done == 3.0).await;
    let sum = |pipeline: &Pipeline| pipeline.scrape().value("kafka_process_duration_seconds_sum", &[]);
    assert!(sum(&pipeline) >= 0.9, "{}", sum(&pipeline));
    over(&pipeline, "consumer-slow").await;
    let before = sum(&pipeline);
    pipeline.publish("k", "ok fast").await;
    pipeline.reaches("kafka_consumed_total", &[("outcome", "done")], |done| done == 4.0).await;
    assert!(sum(&pipeline) - before < 0.3);
    pipeline.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consumer_pause_lets_lag_and_age_grow_without_losing_a_message() {
    let broker = broker();
    let pipeline = Pipeline::start(broker.brokers()).await;
    pipeline.publish("k", "ok before").await;
    pipeline.recorder.sees("ok before").await;
    pipeline.drains().await;
    pipeline.chassis.faults.set("consumer-pause", "ttl=8s").expect("a plan");
    stands_still(&pipeline).await;
    let before = consumed(&pipeline);
    for number in 0..40 {
        pipeline.publish(&format!("k{number}"), &format!("ok {number}")).await;
    }
    // With the one that showed that it stands still.
    pipeline.reaches("kafka_consumer_lag", &[("topic", TOPIC)], |lag| lag == 41.0).await;
    pipeline.reaches("kafka_oldest_message_age_seconds", &[], |age| age > 4.0 * 1.5).await;
    assert_eq!(consumed(&pipeline), before, "nothing is consumed");
    assert_eq!(pipeline.scrape().value("queue_size", &[("queue_name", TOPIC)]), 41.0);

    over(&pipeline, "consumer-pause").await;
    pipeline.drains().await;
    assert_eq!(consumed(&pipeline), before + 41.0);
    pipeline.reaches("kafka_oldest_message_age_seconds", &[], |age| age == 0.0).await;
    pipeline.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rebalance_storm_leaves_and_rejoins_and_every_message_is_handled() {
    let broker = broker();
    let pipeline = Pipeline::start(broker.brokers()).await;
    let rebalances = pipeline.scrape().value("kafka_rebalances_total", &[("group", "test")]);
    pipeline.chassis.faults.set("rebalance-storm", "interval=1s&ttl=5m").expect("a plan");
    let count = || pipeline.scrape().value("kafka_rebalances_total", &[("group", "test")]) - rebalances;
    let mut sent = 0;
    let traffic = async {
        let mut pace = tokio::time::interval(Duration::from_millis(50));
        while count() < 4.0 {
            pace.tick().await;
            pipeline.publish(&format!("k{sent}"), &format!("ok {sent}")).await;
            sent += 1;
        }
    };
    let settled = tokio::time::timeout(2 * PATIENCE, traffic).await;
    assert!(settled.is_ok(), "{} changes of the assignment", count());
    pipeline.chassis.faults.set("rebalance-storm", "interval=1s&ttl=1s").expect("a plan");
    over(&pipeline, "rebalance-storm").await;
    pipeline.recorder.sees(&format!("ok {}", sent - 1)).await;
    pipeline.drains().await;
    let missing: Vec<_> = (0..sent).filter(|n| pipeline.recorder.times(&format!("ok {n}")) == 0).collect();
    assert!(missing.is_empty(), "{missing:?}");
    pipeline.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commit_skip_leaves_lag_behind_handled_messages_until_it_ends() {
    let broker = broker();
    let pipeline = Pipeline::start(broker.brokers()).await;
    pipeline.chassis.faults.set("commit-skip", "ttl=5s").expect("a plan");
    for number in 0..10 {
        pipeline.publish("k", &format!("ok {number}")).await;
    }
    pipeline.recorder.sees("ok 9").await;
    pipeline.reaches("kafka_consumer_lag", &[("topic", TOPIC)], |lag| lag == 10.0).await;
    assert_eq!(consumed(&pipeline), 10.0, "still handled");
    over(&pipeline, "commit-skip").await;
    pipeline.drains().await;
    pipeline.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_skipped_by_commit_skip_are_redelivered_after_a_restart() {
    let broker = broker();
    let pipeline = Pipeline::start(broker.brokers()).await;
    pipeline.chassis.faults.set("commit-skip", "ttl=1m").expect("a plan");
    pipeline.publish("k", "ok").await;
    pipeline.recorder.sees("ok").await;
    pipeline.stop().await;
    let next = Pipeline::start(broker.brokers()).await;
    next.recorder.sees("ok").await;
    next.drains().await;
    next.stop().await;
}
