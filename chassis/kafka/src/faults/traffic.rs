//! Traffic that a fault makes: many copies of real messages, and unreadable messages.

use std::time::Duration;

use rdkafka::producer::DeliveryFuture;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::super::{OutMessage, producer::Producer};
use chassis_faults::{FaultPoint, Strike};

/// How often a flood sends a batch.
const BATCH: Duration = Duration::from_millis(50);

/// `queue-flood`: while it is on, publishes copies of the latest messages at `rps`.
pub(super) async fn flood(point: FaultPoint, producer: Producer, shutdown: CancellationToken) {
    loop {
        let strike = tokio::select! {
            () = shutdown.cancelled() => return,
            strike = point.started() => strike,
        };
        let templates = producer.faults().recent.all();
        if templates.is_empty() {
            // There is no message to copy yet: look again shortly.
            tokio::time::sleep(BATCH).await;
            continue;
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = point.ended(&strike) => {}
            () = pour(&point, &strike, &producer, &templates) => {}
        }
    }
}

async fn pour(point: &FaultPoint, strike: &Strike, producer: &Producer, templates: &[OutMessage]) {
    let mut copies = templates.iter().cycle();
    let mut ticks = interval(BATCH);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut last, mut owed) = (Instant::now(), 0.0);
    loop {
        ticks.tick().await;
        owed += strike.count("rps") as f64 * point.level() * last.elapsed().as_secs_f64();
        last = Instant::now();
        let mut batch = Vec::new();
        while owed >= 1.0 {
            // A full buffer ends the batch; the rest is not made up for.
            let Some((message, delivery)) = copies.next().and_then(|m| Some((m, producer.queue(m)?))) else {
                break;
            };
            batch.push((message.topic.clone(), delivery));
            owed -= 1.0;
        }
        owed = owed.fract();
        tokio::spawn(count(producer.clone(), batch));
    }
}

async fn count(producer: Producer, batch: Vec<(String, DeliveryFuture)>) {
    for (topic, delivery) in batch {
        producer.count(&topic, matches!(delivery.await, Ok(Ok(_))));
    }
}

/// `poison-message`: while it is on, publishes one unreadable message per `interval`, to each topic of this process in turn.
pub(super) async fn poison(point: FaultPoint, producer: Producer, shutdown: CancellationToken) {
    let mut turn = 0_usize;
    loop {
        let strike = tokio::select! {
            () = shutdown.cancelled() => return,
            strike = point.started() => strike,
        };
        let topics = producer.faults().recent.topics();
        if let Some(topic) = (!topics.is_empty()).then(|| &topics[turn % topics.len()]) {
            let mut message = unreadable(topic, producer.faults().recent.last_of(topic), turn / topics.len());
            // A release with a mistake writes such messages, and it has the key.
            producer.keys().sign(&mut message);
            if let Some(delivery) = producer.queue(&message) {
                tokio::spawn(count(producer.clone(), vec![(message.topic, delivery)]));
            }
        }
        turn += 1;
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(strike.duration("interval")) => {}
            () = point.ended(&strike) => {}
        }
    }
}

/// A message that is not a valid event: in turn not text, truncated, of a future version.
fn unreadable(topic: &str, model: Option<OutMessage>, turn: usize) -> OutMessage {
    let model = model.unwrap_or_else(|| OutMessage {
        topic: topic.to_owned(),
        payload: br#"{"version":1,"event_id":"00000000-0000-7000-8000-000000000000"}"#.to_vec(),
        ..OutMessage::default()
    });
    let payload = match turn % 3 {
        0 => b"\xff\xfe<event/>".to_vec(),
        1 => model.payload[..model.payload.len() / 2].to_vec(),
        _ => newer_version(&model.payload),
    };
    OutMessage { payload, ..model }
}

/// The same document with `version` 99.
fn newer_version(payload: &[u8]) -> Vec<u8> {
    let mut document: serde_json::Value = serde_json::from_slice(payload).unwrap_or_default();
    if !document.is_object() {
        document = serde_json::json!({});
    }
    document["version"] = serde_json::json!(99);
    document.to_string().into_bytes()
}
