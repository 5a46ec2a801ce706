//! The handle that a service holds: one per process, from which it gets its producers and starts its consumers.

use std::sync::Arc;

use chassis_telemetry::Chassis;

use super::{
    Handler, KafkaConfig, Producer, Redriven, Subscription, boundary::Boundary, consumer, redrive, traffic,
};

/// The brokers, as one process uses them. Cheap to clone; make one per process: it registers the metrics of the broker
/// boundary and the readiness check `kafka`.
#[derive(Clone)]
pub struct Kafka {
    boundary: Arc<Boundary>,
    producer: Producer,
    chassis: Chassis,
}

impl Kafka {
    /// Creates the producing client and starts the tasks of the faults; the brokers may come up later.
    ///
    /// # Errors
    /// When librdkafka refuses the configuration.
    pub fn connect(config: &KafkaConfig, chassis: &Chassis) -> anyhow::Result<Self> {
        let boundary = Arc::new(Boundary::new(config, chassis));
        let producer = Producer::start(Arc::clone(&boundary), chassis)?;
        traffic::start(&producer, &boundary, chassis);
        Ok(Self { boundary, producer, chassis: chassis.clone() })
    }

    /// A producer for a process that publishes to `topic`, whose series exist from now on.
    #[must_use]
    pub fn producer(&self, topic: &str) -> Producer {
        let _ = self.boundary.metrics.published(topic);
        self.boundary.recent.know(topic);
        self.producer.clone()
    }

    /// Runs a consumer in the background until shutdown: partitions are worked on concurrently, the messages of one key in
    /// order, commits after handling; leaves the group cleanly. Keeps lag, age, rebalance and dead-letter metrics.
    ///
    /// # Errors
    /// When librdkafka refuses the configuration.
    pub fn consume(&self, subscription: Subscription, handler: impl Handler) -> anyhow::Result<()> {
        let letters = self.producer.clone();
        consumer::start(subscription, handler, letters, &self.boundary, &self.chassis)
    }

    /// Publishes up to `limit` messages of the topic `dead_letters` to the topic that they came from, oldest of each partition
    /// first. What was moved is remembered by the group `{dead_letters}.redrive`, so that a second run continues where this one
    /// ended. An interrupted run may move a message twice.
    ///
    /// # Errors
    /// When the broker does not answer, or does not take a message; what was moved until then stays moved.
    pub async fn redrive(&self, dead_letters: &str, limit: u64) -> anyhow::Result<Redriven> {
        redrive::run(&self.boundary.config, dead_letters, limit, &self.producer).await
    }
}
