//! The producer: idempotent, acknowledged by all replicas, measured, traced, breakable.
//!
//! An idempotent producer whose broker has lost its state fails permanently ("fatal"). The client is then replaced and the
//! message sent again: it may arrive twice, but it does arrive.

use std::{sync::Arc, time::Instant};

use arc_swap::ArcSwap;
use futures::FutureExt as _;
use rdkafka::{
    error::KafkaError,
    producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer as _},
};
use tracing::Instrument;

use super::{
    EventKeys, KafkaConfig, OutMessage, PublishError,
    client::{self, Logs},
    faults::publish::PublishFaults,
    headers,
    metrics::KafkaMetrics,
    spans,
};
use chassis_telemetry::Chassis;

pub(super) type Client = FutureProducer<Logs>;

/// Deadline of the readiness check's query to the brokers; the check as a whole has one second.
const METADATA_DEADLINE: std::time::Duration = std::time::Duration::from_millis(800);

/// A producer. Cheap to clone. Rebuilds itself after a fatal error of the idempotent producer. One for each process: it
/// registers the metrics of the broker boundary and the readiness check `kafka`.
#[derive(Clone)]
pub struct Producer {
    inner: Arc<Inner>,
}

struct Inner {
    config: KafkaConfig,
    keys: EventKeys,
    client: ArcSwap<Client>,
    metrics: KafkaMetrics,
    faults: PublishFaults,
}

impl Producer {
    /// Creates the client; the broker may come up later.
    ///
    /// # Errors
    /// If librdkafka refuses the configuration.
    pub fn new(config: &KafkaConfig, chassis: &Chassis) -> anyhow::Result<Self> {
        let inner = Arc::new(Inner {
            config: config.clone(),
            keys: config.event_keys.clone().unwrap_or_default(),
            client: ArcSwap::from_pointee(connect(config)?),
            metrics: KafkaMetrics::new(&chassis.metrics),
            faults: PublishFaults::new(config, &chassis.faults),
        });
        let producer = Self { inner };
        producer.register_readiness(chassis);
        PublishFaults::run(&producer, chassis);
        Ok(producer)
    }

    /// Declares that this process publishes to `topic`, so that its series exist from the start.
    #[must_use]
    pub fn publishes(self, topic: &str) -> Self {
        self.inner.metrics.declare_published(topic);
        self.inner.faults.recent.know(topic);
        self
    }

    /// Signs a message and publishes it; waits for the acknowledgement of all replicas, and while the client's buffer is full.
    ///
    /// # Errors
    /// [`PublishError`]: the message may or may not have arrived.
    pub async fn publish(&self, mut message: OutMessage) -> Result<(), PublishError> {
        self.keys().sign(&mut message);
        self.pass_on(message).await
    }

    /// As [`Producer::publish`], for a message from another writer: it keeps the signature it came with, or none.
    pub(super) async fn pass_on(&self, message: OutMessage) -> Result<(), PublishError> {
        let span = spans::publish(&message);
        async {
            let start = Instant::now();
            let result = self.attempt(&message).await;
            let topic = message.topic.as_str();
            self.inner.metrics.publish_duration.with(&[topic]).observe(start.elapsed().as_secs_f64());
            self.count(topic, result.is_ok());
            result.map_err(|source| {
                spans::fail(&tracing::Span::current(), &spans::error_type(&source));
                PublishError { topic: topic.to_owned(), source }
            })
        }
        .instrument(span)
        .await
    }

    async fn attempt(&self, message: &OutMessage) -> Result<(), KafkaError> {
        let faults = &self.inner.faults;
        faults.recent.remember(message);
        let headers = headers::outgoing(&message.headers);
        let sent = OutMessage { headers, ..message.clone() };
        if faults.refuses() {
            return faults.time_out(&sent).await;
        }
        self.deliver(&sent).await?;
        for _ in 0..faults.extra_copies() {
            let copy = self.deliver(&sent).await;
            self.count(&sent.topic, copy.is_ok());
        }
        Ok(())
    }

    async fn deliver(&self, message: &OutMessage) -> Result<(), KafkaError> {
        let client = self.inner.client.load_full();
        match send(&client, message, &self.inner.config).await {
            Err(_) if client.client().fatal_error().is_some() => {
                self.replace(&client)?;
                send(&self.inner.client.load_full(), message, &self.inner.config).await
            }
            result => result,
        }
    }

    /// Replaces a broken client by a new one; does nothing if that was already done.
    fn replace(&self, broken: &Arc<Client>) -> Result<(), KafkaError> {
        let reason = broken.client().fatal_error().map_or_else(String::new, |(_, reason)| reason);
        let fresh = Arc::new(connect(&self.inner.config)?);
        let previous = self.inner.client.compare_and_swap(broken, Arc::clone(&fresh));
        let discarded = if Arc::ptr_eq(&previous, broken) {
            tracing::warn!(reason, "the producer lost its place in the broker's log and starts over");
            Arc::clone(broken)
        } else {
            fresh
        };
        // The last owner waits for the client's threads.
        tokio::task::spawn_blocking(move || drop(discarded));
        Ok(())
    }

    /// Queues a message as it is, without a span; `None` when the buffer is full or the client broken.
    pub(super) fn queue(&self, message: &OutMessage) -> Option<DeliveryFuture> {
        let client = self.inner.client.load();
        let native = headers::to_native(&message.headers);
        client.send_result(record(message).headers(native)).ok()
    }

    pub(super) fn count(&self, topic: &str, ok: bool) {
        let outcome = if ok { "ok" } else { "error" };
        self.inner.metrics.published.with_label_values(&[topic, outcome]).inc();
    }

    pub(super) fn metrics(&self) -> &KafkaMetrics {
        &self.inner.metrics
    }

    pub(super) fn keys(&self) -> &EventKeys {
        &self.inner.keys
    }

    pub(super) fn faults(&self) -> &PublishFaults {
        &self.inner.faults
    }

    fn register_readiness(&self, chassis: &Chassis) {
        let inner = Arc::clone(&self.inner);
        chassis.readiness.check("kafka", move || {
            let client = inner.client.load_full();
            async move {
                let ask = move || client.client().fetch_metadata(None, METADATA_DEADLINE).map(|_| ());
                let answer = tokio::task::spawn_blocking(ask).await.map_err(|error| error.to_string())?;
                answer.map_err(|error| format!("brokers do not answer: {error}"))
            }
            .boxed()
        });
    }
}

pub(super) fn connect(config: &KafkaConfig) -> Result<Client, KafkaError> {
    client::producer(config).create_with_context(Logs::default())
}

/// The record without headers; no key when it is empty.
fn record(message: &OutMessage) -> FutureRecord<'_, str, [u8]> {
    let record = FutureRecord::to(&message.topic).payload(message.payload.as_slice());
    if message.key.is_empty() { record } else { record.key(&message.key) }
}

pub(super) async fn send(
    client: &Client,
    message: &OutMessage,
    config: &KafkaConfig,
) -> Result<(), KafkaError> {
    let native = headers::to_native(&message.headers);
    let sent = client.send(record(message).headers(native), config.kafka_delivery_timeout).await;
    let delivery = sent.map_err(|(error, _)| error)?;
    spans::delivered(&tracing::Span::current(), delivery.partition, delivery.offset);
    Ok(())
}
