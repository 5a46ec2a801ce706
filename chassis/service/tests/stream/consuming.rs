//! Consuming without faults: order, commits, verdicts, rebalances, lag.

use std::time::{Duration, Instant};

use testkit::eventually;

use crate::support::{DEAD, PATIENCE, Pipeline, TOPIC, broker};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_one_key_are_handled_in_order_and_not_again_after_a_restart() {
    let broker = broker();
    let pipeline = Pipeline::start(broker.brokers()).await;
    for number in 0..50 {
        for key in ["a", "b", "c"] {
            pipeline.publish(key, &format!("ok {key} {number:03}")).await;
        }
    }
    pipeline.reaches("kafka_consumed_total", &[("outcome", "done")], |done| done == 150.0).await;
    for key in ["a", "b", "c"] {
        let of_key = |payload: &String| payload.starts_with(&format!("ok {key}"));
        let seen: Vec<_> = pipeline.recorder.payloads().into_iter().filter(of_key).collect();
        assert!(seen.len() == 50 && seen.is_sorted(), "{seen:?}");
    }
    pipeline.drains().await;
    pipeline.stop().await;

    let next = Pipeline::start(broker.brokers()).await;
    next.publish("a", "ok last").await;
    next.recorder.sees("ok last").await;
    assert_eq!(next.recorder.payloads(), ["ok last"]);
    next.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_in_progress_blocks_those_of_its_key_and_the_commit_but_no_other() {
    let broker = broker();
    let pipeline = Pipeline::start(broker.brokers()).await;
    pipeline.publish("a", "held").await;
    pipeline.recorder.sees("held").await;
    let partition = pipeline.recorder.messages()[0].partition;
    // Some of them go to the same partition.
    for number in 0..40 {
        pipeline.publish(&format!("key {number}"), &format!("ok {number}")).await;
    }
    eventually(PATIENCE, || async {
        let others =
            pipeline.recorder.messages().iter().filter(|seen| seen.partition == partition).count() - 1;
        if others > 3 { Ok(()) } else { Err(format!("{others} others of partition {partition}")) }
    })
    .await;
    pipeline.publish("a", "ok the next of a").await;
    pipeline.reaches("kafka_consumed_total", &[("outcome", "done")], |done| done == 40.0).await;
    assert_eq!(pipeline.recorder.times("ok the next of a"), 0, "it waits for the one of its key");
    pipeline.reaches("kafka_consumer_lag", &[("topic", TOPIC)], |lag| lag > 3.0).await;

    pipeline.recorder.released.cancel();
    pipeline.recorder.sees("ok the next of a").await;
    pipeline.drains().await;
    pipeline.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_malformed_message_becomes_a_dead_letter_and_its_partition_continues() {
    let broker = broker();
    let pipeline = Pipeline::start(broker.brokers()).await;
    let mut bad = crate::support::message("k", "nonsense");
    bad.headers.insert("content-type".to_owned(), "application/json".to_owned());
    pipeline.producer.publish(bad).await.expect("an acknowledgement");
    pipeline.publish("k", "ok after").await;
    pipeline.recorder.sees("ok after").await;

    let letters = broker.read(DEAD, 1, Duration::from_secs(10)).await;
    let letter = &letters[0];
    assert_eq!((letter.key.as_deref(), letter.payload.as_slice()), (Some("k"), b"nonsense".as_slice()));
    let original = &pipeline.recorder.messages()[0];
    for (header, value) in [
        ("error.reason", "malformed"),
        ("error.message", "not an event"),
        ("original.topic", TOPIC),
        ("original.partition", &original.partition.to_string()),
        ("original.offset", &original.offset.to_string()),
        ("content-type", "application/json"),
    ] {
        assert_eq!(letter.headers.get(header).map(String::as_str), Some(value), "{header}: {letter:?}");
    }
    pipeline.drains().await;
    let scrape = pipeline.scrape();
    assert_eq!(scrape.value("dead_letters_total", &[("topic", TOPIC), ("reason", "malformed")]), 1.0);
    assert_eq!(scrape.value("kafka_consumed_total", &[("outcome", "dead_letter")]), 1.0);
    pipeline.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_message_that_leaves_no_room_for_the_reason_is_given_up_without_its_body() {
    let broker = broker();
    let pipeline = Pipeline::start(broker.brokers()).await;
    // librdkafka accepts a million bytes, headers included.
    let largest = vec![b'x'; 999_900];
    broker.publish(TOPIC, "k", &largest, &[]).await;
    pipeline.publish("k", "ok after").await;
    pipeline.recorder.sees("ok after").await;

    let letter = &broker.read(DEAD, 1, Duration::from_secs(10)).await[0];
    assert!(letter.payload.is_empty());
    assert_eq!((letter.key.as_deref(), letter.headers["error.reason"].as_str()), (Some("k"), "malformed"));
    assert_eq!(letter.headers["error.truncated"], "999900 bytes");
    assert_eq!(letter.headers["original.topic"], TOPIC);
    let redriven = pipeline.kafka.redrive(DEAD, 10).await.expect("a re-drive");
    assert_eq!((redriven.moved, redriven.unknown_origin), (0, 1), "there is nothing to hand in again");
    pipeline.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_whose_name_is_not_text_does_not_stop_the_partition() {
    let broker = broker();
    let pipeline = Pipeline::start(broker.brokers()).await;
    for partition in 0..4 {
        broker.publish_raw(TOPIC, partition, b"ok raw", &[(b"\xff\xfe", b"x"), (b"kept", b"yes")]).await;
    }
    for key in 0..8 {
        pipeline.publish(&format!("k{key}"), &format!("ok {key}")).await;
    }
    for key in 0..8 {
        pipeline.recorder.sees(&format!("ok {key}")).await;
    }
    let raw = pipeline.recorder.messages().into_iter().find(|message| message.payload == b"ok raw");
    let headers = raw.expect("handled as well").headers;
    assert_eq!(headers.into_iter().collect::<Vec<_>>(), [("kept".to_owned(), "yes".to_owned())]);
    pipeline.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retries_and_panics_are_bounded_and_blocked_messages_wait() {
    let broker = broker();
    let pipeline = Pipeline::start(broker.brokers()).await;
    for payload in ["retry", "panic", "blocked", "ok"] {
        pipeline.publish("k", payload).await;
    }
    pipeline.recorder.sees("ok").await;
    pipeline.drains().await;
    let times = ["retry", "panic", "blocked", "ok"].map(|payload| pipeline.recorder.times(payload));
    assert_eq!(times, [3, 3, 6, 1]);
    let scrape = pipeline.scrape();
    let reason = |reason| scrape.value("dead_letters_total", &[("topic", TOPIC), ("reason", reason)]);
    assert_eq!(reason("retries-exhausted"), 1.0);
    assert_eq!(reason("handler-panicked"), 1.0);
    assert_eq!(reason("malformed"), 0.0, "the series is there before the first");
    assert_eq!(scrape.value("kafka_retries_total", &[("topic", TOPIC)]), 2.0 + 2.0 + 5.0);
    pipeline.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_finishes_and_commits_the_message_in_progress() {
    let broker = broker();
    let pipeline = Pipeline::start(broker.brokers()).await;
    pipeline.publish("k", "slow").await;
    pipeline.recorder.sees("slow").await;
    pipeline.stop().await;

    let next = Pipeline::start(broker.brokers()).await;
    next.publish("k", "ok").await;
    next.recorder.sees("ok").await;
    assert_eq!(next.recorder.times("slow"), 0, "it was committed on the way out");
    next.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_leaves_hands_its_partitions_over_at_once() {
    let broker = broker();
    let one = Pipeline::start(broker.brokers()).await;
    let two = Pipeline::start(broker.brokers()).await;
    let share = |pipeline: &Pipeline| {
        let scrape = pipeline.scrape();
        (0..4)
            .filter(|p| scrape.find("kafka_consumer_lag", &[("partition", &p.to_string())]).is_some())
            .count()
    };
    testkit::eventually(crate::support::PATIENCE, || async {
        let shares = (share(&one), share(&two));
        if shares == (2, 2) { Ok(()) } else { Err(format!("partitions {shares:?}")) }
    })
    .await;
    let start = Instant::now();
    one.stop().await;
    for key in 0..20 {
        two.publish(&format!("k{key}"), "ok").await;
    }
    two.reaches("kafka_consumed_total", &[("outcome", "done")], |done| done == 20.0).await;
    // The mock cluster takes a second less than the session (6 s) for a rebalance; a member that vanished silently
    // would be noticed only after its session, and then be rebalanced away: 11 s.
    assert!(start.elapsed() < Duration::from_secs(9), "took {:?}", start.elapsed());
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_can_be_sent_back() {
    let broker = broker();
    let pipeline = Pipeline::start(broker.brokers()).await;
    for number in 0..3 {
        pipeline.publish("k", &format!("bad {number}")).await;
    }
    pipeline.reaches("dead_letters_total", &[("reason", "malformed")], |letters| letters == 3.0).await;
    broker.publish(DEAD, "k", b"from nowhere", &[]).await;

    let first = pipeline.kafka.redrive(DEAD, 2).await.expect("a re-drive");
    assert_eq!((first.moved, first.left + first.unknown_origin), (2, 2));
    pipeline.reaches("dead_letters_total", &[("reason", "malformed")], |letters| letters == 5.0).await;
    let again = pipeline.recorder.messages().pop().expect("a message");
    assert!(!again.headers.keys().any(|name| name.starts_with("error.") || name.starts_with("original.")));
    pipeline.stop().await;
}
