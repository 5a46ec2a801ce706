//! The producer: idempotent, acknowledged by all replicas, measured, traced, breakable.
//!
//! An idempotent producer that meets a broker which forgot it fails for good ("fatal"). The client is then replaced and the
//! message sent once more: it may arrive twice, never not at all.

mod delivery;
mod faults;

use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use chassis_telemetry::Chassis;
use futures::FutureExt;
use rdkafka::{
    error::KafkaError,
    producer::{DeliveryFuture, Producer as _},
};

use self::{delivery::Client, faults::PublishFaults};
use super::{OutMessage, PublishError, boundary::Boundary, client::Logs, headers, spans};

/// Deadline of the readiness check's question to the brokers; readiness as a whole has a second.
const METADATA_DEADLINE: Duration = Duration::from_millis(800);

/// Publishes messages, each to the topic that it names. Cheap to clone; all producers of a process share one client.
#[derive(Clone)]
pub struct Producer {
    inner: Arc<Inner>,
}

struct Inner {
    boundary: Arc<Boundary>,
    client: ArcSwap<Client>,
    faults: PublishFaults,
}

impl Producer {
    /// Creates the client and registers the readiness check `kafka`.
    pub(super) fn start(boundary: Arc<Boundary>, chassis: &Chassis) -> anyhow::Result<Self> {
        let client = delivery::connect(&boundary.config, Logs::default())?;
        let faults = PublishFaults::start(&boundary.config, chassis);
        let client = ArcSwap::from_pointee(client);
        let producer = Self { inner: Arc::new(Inner { boundary, client, faults }) };
        producer.register_readiness(chassis);
        Ok(producer)
    }

    /// Signs a message and publishes it; waits for the acknowledgement of all replicas, and while the client's buffer is full.
    ///
    /// # Errors
    /// [`PublishError`]: the message may or may not have arrived.
    pub async fn publish(&self, mut message: OutMessage) -> Result<(), PublishError> {
        self.inner.boundary.keys.sign(&mut message);
        self.pass_on(message).await
    }

    /// As [`Producer::publish`], for a message that somebody else wrote: it keeps the signature that it came with, or none.
    pub(super) async fn pass_on(&self, mut message: OutMessage) -> Result<(), PublishError> {
        let published = self.inner.boundary.metrics.published(&message.topic);
        let place = spans::publish(&message);
        let work = async {
            let start = Instant::now();
            let result = self.attempt(&mut message).await;
            published.duration.observe(start.elapsed().as_secs_f64());
            published.count(result.is_ok());
            if let Err(source) = &result {
                spans::fail(&tracing::Span::current(), &spans::error_type(source));
            }
            result
        };
        place.run(work).await.map_err(|source| PublishError { topic: message.topic, source })
    }

    async fn attempt(&self, message: &mut OutMessage) -> Result<(), KafkaError> {
        let Inner { boundary, faults, .. } = &*self.inner;
        boundary.recent.remember(message.payload.len(), || message.clone());
        message.headers = headers::outgoing(mem::take(&mut message.headers));
        if faults.refuses() {
            return faults.time_out(message).await;
        }
        self.deliver(message).await?;
        for _ in 0..faults.extra_copies() {
            let copy = self.deliver(message).await;
            self.count(&message.topic, copy.is_ok());
        }
        Ok(())
    }

    async fn deliver(&self, message: &OutMessage) -> Result<(), KafkaError> {
        let config = &self.inner.boundary.config;
        let client = self.inner.client.load_full();
        match delivery::send(&client, message, config).await {
            Err(_) if client.client().fatal_error().is_some() => {
                self.replace(&client)?;
                delivery::send(&self.inner.client.load_full(), message, config).await
            }
            result => result,
        }
    }

    /// Replaces a broken client with a new one; a second caller finds it done.
    fn replace(&self, broken: &Arc<Client>) -> Result<(), KafkaError> {
        let reason = broken.client().fatal_error().map_or_else(String::new, |(_, reason)| reason);
        let fresh = Arc::new(delivery::connect(&self.inner.boundary.config, Logs::default())?);
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
        delivery::queue(&self.inner.client.load(), message)
    }

    /// Counts a message that went out without [`Producer::publish`].
    pub(super) fn count(&self, topic: &str, ok: bool) {
        self.inner.boundary.metrics.published(topic).count(ok);
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
