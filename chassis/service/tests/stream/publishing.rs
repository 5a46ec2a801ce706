//! Publishing: back-pressure, outages, and the faults of publishing.

use std::time::{Duration, Instant};

use chassis_kafka::{OutMessage, Producer, catalogue::QUEUE_FLOOD};
use rdkafka::{error::KafkaError, types::RDKafkaErrorCode};
use testkit::{Kafka, eventually};

use crate::support::{PATIENCE, TOPIC, chassis, config, connect, kafka_config, message, reaches, scrape};

fn producer(chassis: &chassis_telemetry::Chassis, broker: &Kafka) -> Producer {
    connect(&kafka_config(broker.brokers()), chassis).producer(TOPIC)
}

#[tokio::test]
async fn a_short_outage_of_the_broker_delays_messages_and_loses_none() {
    let (broker, chassis) = (Kafka::with_topics(&[TOPIC]), chassis(&[]));
    let producer = producer(&chassis, &broker);
    producer.publish(message("k", "before")).await.expect("an acknowledgement");
    broker.down();
    eventually(PATIENCE, || async {
        let failing = chassis.readiness.failing().await;
        if failing.iter().any(|(name, _)| *name == "kafka") { Ok(()) } else { Err("ready".to_owned()) }
    })
    .await;
    let waiting: Vec<_> = (0..10)
        .map(|number| {
            let producer = producer.clone();
            tokio::spawn(async move { producer.publish(message("k", format!("{number}"))).await })
        })
        .collect();
    broker.up();
    for result in waiting {
        result.await.expect("no panic").expect("an acknowledgement");
    }
    assert_eq!(broker.read(TOPIC, 11, PATIENCE).await.len(), 11);
    assert!(chassis.readiness.failing().await.is_empty(), "ready again");
}

#[tokio::test]
async fn more_messages_than_the_buffer_holds_wait_for_room() {
    let (broker, chassis) = (Kafka::with_topics(&[TOPIC]), chassis(&[]));
    let producer = producer(&chassis, &broker);
    // 24 MiB into a buffer of 16 MiB.
    let big = vec![b'x'; 512 << 10];
    let all = (0..48).map(|_| producer.publish(message("", big.clone())));
    for result in futures::future::join_all(all).await {
        result.expect("an acknowledgement");
    }
    assert_eq!(scrape(&chassis).value("kafka_published_total", &[("outcome", "ok")]), 48.0);
}

#[tokio::test]
async fn publish_error_is_a_missing_acknowledgement_and_ends() {
    let (broker, chassis) = (Kafka::with_topics(&[TOPIC]), chassis(&[]));
    let kafka = config(&["--kafka-brokers", broker.brokers(), "--kafka-delivery-timeout", "500ms"]);
    let producer = connect(&kafka, &chassis).producer(TOPIC);
    chassis.faults.set("publish-error", "ttl=2s").expect("a plan");
    let error = producer.publish(message("k", "lost")).await.expect_err("no acknowledgement");
    assert_eq!(error.source, KafkaError::MessageProduction(RDKafkaErrorCode::MessageTimedOut));
    assert_eq!(scrape(&chassis).value("kafka_published_total", &[("outcome", "error")]), 1.0);
    eventually(PATIENCE, || async {
        producer.publish(message("k", "arrives")).await.map_err(|error| error.to_string())
    })
    .await;
    let there = broker.read(TOPIC, 1, PATIENCE).await;
    assert_eq!(there[0].payload, b"arrives", "an unacknowledged message is not there");
}

#[tokio::test]
async fn publish_duplicate_sends_copies() {
    let (broker, chassis) = (Kafka::with_topics(&[TOPIC]), chassis(&[]));
    let producer = producer(&chassis, &broker);
    chassis.faults.set("publish-duplicate", "copies=2&ttl=60s").expect("a plan");
    producer.publish(message("k", "thrice")).await.expect("an acknowledgement");
    let records = broker.read(TOPIC, 3, PATIENCE).await;
    assert!(
        records.iter().all(|record| record.payload == b"thrice" && record.partition == records[0].partition)
    );
    assert_eq!(records.len(), 3);

    chassis.faults.clear("publish-duplicate").expect("a fault of this name");
    producer.publish(message("k", "once")).await.expect("an acknowledgement");
    // A fifth would be there by now; on a busy machine not all of the four are read within the time.
    eventually(PATIENCE, || async {
        let there = broker.read(TOPIC, 5, Duration::from_secs(1)).await.len();
        if there == 4 { Ok(()) } else { Err(format!("{there} of 4 records")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queue_flood_publishes_copies_at_its_rate_and_ends() {
    let (broker, chassis) = (Kafka::with_topics(&[TOPIC]), chassis(&[]));
    let producer = producer(&chassis, &broker);
    let original = OutMessage { headers: [("h".to_owned(), "v".to_owned())].into(), ..message("k", "ok") };
    producer.publish(original).await.expect("an acknowledgement");
    let start = Instant::now();
    chassis.faults.set("queue-flood", "rps=500&ttl=2s").expect("a plan");
    reaches(&chassis, "kafka_published_total", &[("outcome", "ok")], |sent| sent > 700.0).await;
    assert!(start.elapsed() > Duration::from_secs(1), "700 in {:?} is more than 500/s", start.elapsed());
    let point = chassis.faults.point(&QUEUE_FLOOD);
    eventually(PATIENCE, || async { point.active().map_or(Ok(()), |_| Err("still on".to_owned())) }).await;

    let sent = scrape(&chassis).value("kafka_published_total", &[("outcome", "ok")]);
    assert!(sent < 1.0 + 1.2 * 500.0 * start.elapsed().as_secs_f64(), "{sent}");
    let copies = broker.read(TOPIC, 700, PATIENCE).await;
    assert!(copies.iter().all(|copy| copy.payload == b"ok" && copy.headers.contains_key("h")));
}

#[tokio::test]
async fn a_producer_that_failed_for_good_is_replaced_and_goes_on() {
    let (broker, chassis) = (Kafka::with_topics(&[TOPIC]), chassis(&[]));
    let producer = producer(&chassis, &broker);
    producer.publish(message("k", "1")).await.expect("an acknowledgement");
    // librdkafka takes it as the end of the client.
    broker.lose_a_batch();
    producer.publish(message("k", "2")).await.expect("an acknowledgement");
    producer.publish(message("k", "3")).await.expect("an acknowledgement");
    let scrape = scrape(&chassis);
    assert_eq!(scrape.value("kafka_published_total", &[("outcome", "ok")]), 3.0);
    assert_eq!(scrape.value("kafka_published_total", &[("outcome", "error")]), 0.0);
}
