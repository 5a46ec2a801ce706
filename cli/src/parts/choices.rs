//! The choices for a lab, made by the person who starts it.

use std::time::Duration;

use reqwest::Url;
use slo::Clock;
use supervisor::ports::Ports;

use super::{cloud, postgres::Confirm, replicas::Replicas};

/// A broker that the lab runs itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Broker {
    /// lab-kafka: librdkafka's mock cluster, in memory; starts at once, loses its log when killed.
    Embedded,
    /// Apache Kafka: one broker in KRaft mode with a durable log; needs Java 17 or newer, and Maven for the first
    /// start.
    Apache,
}

/// Which broker the services use.
#[derive(Debug, Clone)]
pub(crate) enum Kafka {
    /// lab-kafka.
    Embedded,
    /// Apache Kafka, run by the lab.
    Apache,
    /// A broker elsewhere, by its bootstrap list.
    Elsewhere(String),
}

/// What Prometheus does with time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    /// The clock of the objectives.
    pub(crate) clock: Clock,
    /// Keep what was stored in earlier runs. On the production clock always: its period is 30 days.
    pub(crate) keep: bool,
}

/// Receivers in addition to the control room.
#[derive(Debug, Clone, Default)]
pub(crate) struct Webhooks {
    /// Receives Alertmanager's webhook, version 4.
    pub(crate) generic: Option<Url>,
    /// Receives messages for a Slack channel.
    pub(crate) slack: Option<Url>,
}

/// The choices for a lab.
#[derive(Debug, Clone)]
pub(crate) struct Choices {
    /// Port numbers.
    pub(crate) ports: Ports,
    /// The broker.
    pub(crate) kafka: Kafka,
    /// How many instances of a service; one of each that is not named.
    pub(crate) replicas: Vec<Replicas>,
    /// Requests per second; `None` for no load.
    pub(crate) rate: Option<f64>,
    /// Run the synthetic probes.
    pub(crate) probes: bool,
    /// Run an edge that users never reach; the probes attack it.
    pub(crate) staging: bool,
    /// Share of new traces that are sampled, 0 to 1.
    pub(crate) trace_ratio: f64,
    /// For instructors: name active faults in metrics, spans and logs.
    pub(crate) reveal: bool,
    /// Token that the services require at their switches.
    pub(crate) token: Option<String>,
    /// Keys that sign the events between order-api and order-worker; empty for no signatures, `None` for the lab's
    /// own key.
    pub(crate) event_keys: Option<String>,
    /// The clock of the objectives, and whether to keep what Prometheus stored in earlier runs.
    pub(crate) timing: Timing,
    /// Run an OpenSearch for the logs.
    pub(crate) opensearch: bool,
    /// Run an object store.
    pub(crate) objects: bool,
    /// Use an emulator of a cloud.
    pub(crate) cloud: Option<cloud::Cloud>,
    /// Archive the write-ahead log, and make a backup after each such time; `None` for neither.
    pub(crate) backups: Option<Duration>,
    /// Put a proxy on each way between the parts, for experiments.
    pub(crate) chaos: bool,
    /// Run a streaming replica of PostgreSQL; what a commit waits for.
    pub(crate) replica: Option<Confirm>,
    /// Receivers of alerts in addition to the control room.
    pub(crate) webhooks: Webhooks,
}
