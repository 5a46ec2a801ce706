//! What these tests share: a chassis with every fault point, a broker or Redis, and a consumer that records.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use chassis_core::ServiceInfo;
use chassis_faults::{Attribute, Catalogue};
use chassis_kafka::{Handler, InMessage, KafkaConfig, OutMessage, Producer, Subscription, Verdict};
use chassis_service::CommonConfig;
use chassis_telemetry::Chassis;
use clap::Parser;
use testkit::{Kafka, Scrape, eventually};
use tokio_util::sync::CancellationToken;

/// Long enough for a busy machine; reached only if a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);
pub(crate) const TOPIC: &str = "orders";
pub(crate) const DEAD: &str = "orders.dlq";

#[derive(Parser)]
struct Flags<C: clap::Args> {
    #[command(flatten)]
    config: C,
}

/// A configuration from flags alone.
pub(crate) fn config<C: clap::Args>(flags: &[&str]) -> C {
    Flags::parse_from(std::iter::once("test").chain(flags.iter().copied())).config
}

/// What plans may select by.
const SUBJECT: &[Attribute] = &[
    Attribute { key: "user.id", param: "user_id", summary: "" },
    Attribute { key: "user.tier", param: "user_tier", summary: "" },
];

/// A chassis that declares every fault point of broker and cache.
pub(crate) fn chassis(flags: &[&str]) -> Chassis {
    let service = ServiceInfo { name: "test-service", version: "0.0.0" };
    let points: Catalogue = [chassis_kafka::catalogue::ALL, chassis_redis::catalogue::ALL].concat().leak();
    config::<CommonConfig>(flags).chassis(service, points, SUBJECT)
}

pub(crate) fn scrape(chassis: &Chassis) -> Scrape {
    let (_, body) = chassis.metrics.render(None);
    Scrape::parse(&String::from_utf8(body).expect("text"))
}

/// Waits until the scrape satisfies `check`, which says what is missing.
pub(crate) async fn metric(chassis: &Chassis, check: impl Fn(&Scrape) -> Result<(), String>) {
    eventually(PATIENCE, || async { check(&scrape(chassis)) }).await;
}

/// Waits until the sum of a metric's series satisfies `right`.
pub(crate) async fn reaches(
    chassis: &Chassis,
    name: &str,
    labels: &[(&str, &str)],
    right: impl Fn(f64) -> bool,
) {
    metric(chassis, |scrape| {
        let value = scrape.find(name, labels);
        if value.is_some_and(&right) { Ok(()) } else { Err(format!("{name} {labels:?} is {value:?}")) }
    })
    .await;
}

pub(crate) fn kafka_config(brokers: &str) -> KafkaConfig {
    config(&["--kafka-brokers", brokers])
}

pub(crate) fn message(key: &str, payload: impl Into<Vec<u8>>) -> OutMessage {
    OutMessage {
        topic: TOPIC.to_owned(),
        key: key.to_owned(),
        payload: payload.into(),
        ..OutMessage::default()
    }
}

/// Decides by payload, and records what it saw.
#[derive(Clone, Default)]
pub(crate) struct Recorder {
    seen: Arc<Mutex<Vec<InMessage>>>,
    blocked: Arc<Mutex<HashMap<Vec<u8>, u32>>>,
    /// Lets messages with the payload `held` finish.
    pub(crate) released: CancellationToken,
}

impl Recorder {
    /// Payloads in the order in which they were handed over.
    pub(crate) fn payloads(&self) -> Vec<String> {
        let seen = self.seen.lock().expect("not poisoned");
        seen.iter().map(|message| String::from_utf8_lossy(&message.payload).into_owned()).collect()
    }

    pub(crate) fn messages(&self) -> Vec<InMessage> {
        self.seen.lock().expect("not poisoned").clone()
    }

    /// How often a payload was handed over.
    pub(crate) fn times(&self, payload: &str) -> usize {
        self.payloads().iter().filter(|seen| *seen == payload).count()
    }

    /// Waits until `payload` was handed over.
    pub(crate) async fn sees(&self, payload: &str) {
        eventually(PATIENCE, || async {
            if self.times(payload) > 0 {
                Ok(())
            } else {
                Err(format!("{payload} not among {:?}", self.payloads()))
            }
        })
        .await;
    }
}

#[async_trait]
impl Handler for Recorder {
    async fn handle(&self, message: &InMessage) -> Verdict {
        self.seen.lock().expect("not poisoned").push(message.clone());
        let after = Duration::from_millis(10);
        match message.payload.as_slice() {
            b"retry" => Verdict::Retry { after, cause: "a conflict".into() },
            b"panic" => panic!("the handler is broken"),
            b"blocked" => {
                let mut blocked = self.blocked.lock().expect("not poisoned");
                let tries = blocked.entry(message.payload.clone()).or_default();
                *tries += 1;
                if *tries > 5 {
                    return Verdict::Done;
                }
                Verdict::Blocked { after, cause: "database away".into() }
            }
            b"held" => {
                self.released.cancelled().await;
                Verdict::Done
            }
            b"slow" => {
                // Time is the subject: it is still at work when its process is told to stop.
                tokio::time::sleep(Duration::from_millis(500)).await;
                Verdict::Done
            }
            other if other.starts_with(b"{") || other.starts_with(b"ok") => Verdict::Done,
            _ => Verdict::DeadLetter { reason: "malformed", cause: "not an event".into() },
        }
    }
}

/// The handle of a process on these brokers.
pub(crate) fn connect(config: &KafkaConfig, chassis: &Chassis) -> chassis_kafka::Kafka {
    chassis_kafka::Kafka::connect(config, chassis).expect("a handle")
}

/// [`TOPIC`], read by the group `test`.
pub(crate) fn subscription(reasons: &'static [&'static str]) -> Subscription {
    Subscription { group: "test", topic: TOPIC, dead_letters: DEAD, max_attempts: 3, reasons }
}

/// A producer and one consumer of group `test` on [`TOPIC`].
pub(crate) struct Pipeline {
    pub(crate) chassis: Chassis,
    pub(crate) kafka: chassis_kafka::Kafka,
    pub(crate) producer: Producer,
    pub(crate) recorder: Recorder,
}

impl Pipeline {
    /// Starts a pipeline and waits until it has its partitions.
    pub(crate) async fn start(brokers: &str) -> Self {
        let chassis = chassis(&[]);
        let kafka = connect(&kafka_config(brokers), &chassis);
        let producer = kafka.producer(TOPIC);
        let recorder = Recorder::default();
        kafka.consume(subscription(&["malformed"]), recorder.clone()).expect("a consumer");
        reaches(&chassis, "kafka_consumer_lag", &[("topic", TOPIC)], |_| true).await;
        Self { chassis, kafka, producer, recorder }
    }

    pub(crate) async fn publish(&self, key: &str, payload: &str) {
        self.producer.publish(message(key, payload)).await.expect("an acknowledgement");
    }

    pub(crate) fn scrape(&self) -> Scrape {
        scrape(&self.chassis)
    }

    pub(crate) async fn reaches(&self, name: &str, labels: &[(&str, &str)], right: impl Fn(f64) -> bool) {
        reaches(&self.chassis, name, labels, right).await;
    }

    /// Waits until everything that was published is committed, as the broker sees it.
    pub(crate) async fn drains(&self) {
        self.reaches("queue_size", &[("queue_name", TOPIC)], |size| size == 0.0).await;
        self.reaches("kafka_consumer_lag", &[("topic", TOPIC)], |lag| lag == 0.0).await;
    }

    /// Stops as a service does.
    pub(crate) async fn stop(self) {
        self.chassis.shutdown.cancel();
        self.chassis.tasks.close();
        tokio::time::timeout(PATIENCE, self.chassis.tasks.wait()).await.expect("stops in time");
    }
}

pub(crate) fn broker() -> Kafka {
    Kafka::with_topics(&[TOPIC, DEAD])
}
