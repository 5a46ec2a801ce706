//! What everything at the broker boundary of one process shares: facts, and no behaviour.

use chassis_telemetry::Chassis;

use super::{EventKeys, KafkaConfig, metrics::KafkaMetrics, recent::Recent};

/// The broker boundary of one process.
pub(super) struct Boundary {
    /// How the brokers are reached.
    pub(super) config: KafkaConfig,
    /// What signs messages on their way out and verifies them on their way in.
    pub(super) keys: EventKeys,
    /// What producers and consumers count.
    pub(super) metrics: KafkaMetrics,
    /// What passed last.
    pub(super) recent: Recent,
}

impl Boundary {
    /// Registers the metrics.
    pub(super) fn new(config: &KafkaConfig, chassis: &Chassis) -> Self {
        Self {
            config: config.clone(),
            keys: config.event_keys.clone().unwrap_or_default(),
            metrics: KafkaMetrics::new(&chassis.metrics),
            recent: Recent::for_faults(&chassis.faults),
        }
    }
}
