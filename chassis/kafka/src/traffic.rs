//! Traffic that a fault makes: many copies of real messages, and unreadable messages.

use std::{sync::Arc, time::Duration};

use chassis_faults::{FaultPoint, Strike};
use chassis_telemetry::Chassis;
use rdkafka::producer::DeliveryFuture;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{OutMessage, boundary::Boundary, producer::Producer};
use crate::catalogue::{POISON_MESSAGE, PoisonMessage, QUEUE_FLOOD, QueueFlood};

/// How often a flood sends a batch.
const BATCH: Duration = Duration::from_millis(50);

/// What the tasks work with.
#[derive(Clone)]
struct Traffic {
    producer: Producer,
    boundary: Arc<Boundary>,
}

/// Starts the tasks of the faults that make traffic, where the service has them.
pub(super) fn start(producer: &Producer, boundary: &Arc<Boundary>, chassis: &Chassis) {
    let traffic = Traffic { producer: producer.clone(), boundary: Arc::clone(boundary) };
    if let Some(point) = chassis.faults.find(&QUEUE_FLOOD) {
        chassis.spawn(flood(point, traffic.clone(), chassis.shutdown.clone()));
    }
    if let Some(point) = chassis.faults.find(&POISON_MESSAGE) {
        chassis.spawn(poison(point, traffic, chassis.shutdown.clone()));
    }
}

/// `queue-flood`: while it is on, publishes copies of the latest messages at `rps`.
async fn flood(point: FaultPoint<QueueFlood>, traffic: Traffic, shutdown: CancellationToken) {
    loop {
        let strike = tokio::select! {
            () = shutdown.cancelled() => return,
            strike = point.started() => strike,
        };
        let templates = traffic.boundary.recent.all();
        if templates.is_empty() {
            // There is no message to copy yet: look again shortly.
            tokio::time::sleep(BATCH).await;
            continue;
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = point.ended(&strike) => {}
            () = pour(&point, &strike, &traffic.producer, &templates) => {}
        }
    }
}

async fn pour(
    point: &FaultPoint<QueueFlood>,
    strike: &Strike<QueueFlood>,
    producer: &Producer,
    templates: &[OutMessage],
) {
    let mut copies = templates.iter().cycle();
    let mut ticks = interval(BATCH);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut last, mut owed) = (Instant::now(), 0.0);
    loop {
        ticks.tick().await;
        owed += strike.params.rps as f64 * point.level() * last.elapsed().as_secs_f64();
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

/// `poison-message`: while it is on, publishes one unreadable message per `interval`, in turn to each topic of this process.
async fn poison(point: FaultPoint<PoisonMessage>, traffic: Traffic, shutdown: CancellationToken) {
    let Traffic { producer, boundary } = traffic;
    let mut turn = 0_usize;
    loop {
        let strike = tokio::select! {
            () = shutdown.cancelled() => return,
            strike = point.started() => strike,
        };
        let topics = boundary.recent.topics();
        if let Some(topic) = (!topics.is_empty()).then(|| &topics[turn % topics.len()]) {
            let mut message = unreadable(topic, boundary.recent.last_of(topic), turn / topics.len());
            // A release with a mistake writes such messages, and it has the key.
            boundary.keys.sign(&mut message);
            if let Some(delivery) = producer.queue(&message) {
                tokio::spawn(count(producer.clone(), vec![(message.topic, delivery)]));
            }
        }
        turn += 1;
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(strike.params.interval) => {}
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
