//! Kafka by librdkafka: an idempotent producer and a consumer with manual commits, both with metrics, trace context in
//! the message headers (W3C `traceparent`, `tracestate`, `baggage`) and the broker faults at their boundary.
//!
//! Delivery is at least once: a message may be redelivered after a crash, a rebalance or the loss of a broker's log.

use std::time::Duration;

pub mod catalogue;
mod client;
mod consumer;
mod faults;
mod headers;
mod message;
mod metrics;
mod producer;
mod redrive;
mod signing;
mod spans;

pub use consumer::{Cause, ConsumerConfig, Handler, Verdict, consume};
pub use message::{InMessage, OutMessage, PublishError};
pub use producer::Producer;
use redrive::TRUNCATED;
pub use redrive::{Command, Redriven, redrive};
pub use signing::EventKeys;

/// Connection to the Kafka brokers.
#[derive(Debug, Clone, clap::Args)]
pub struct KafkaConfig {
    /// Kafka bootstrap servers, separated by commas.
    #[arg(long, env = "KAFKA_BROKERS", default_value = "127.0.0.1:9092", value_name = "HOST:PORT,…")]
    pub kafka_brokers: String,
    /// How long a publish may take before it counts as failed, for example `500ms`.
    #[arg(long, env = "KAFKA_DELIVERY_TIMEOUT", default_value = "10s", value_parser = humantime::parse_duration)]
    pub kafka_delivery_timeout: Duration,
    /// Time without a heartbeat after which the group reassigns this consumer's partitions.
    #[arg(long, env = "KAFKA_SESSION_TIMEOUT", default_value = "6s", value_parser = humantime::parse_duration)]
    pub kafka_session_timeout: Duration,
    /// Keys for the signatures of messages: `id:secret,…`. The first one signs, all of them verify; a message
    /// without a valid signature becomes a dead letter. With `unsigned` at the end, an unsigned one is accepted. Absent:
    /// nothing is signed or verified.
    #[arg(long, env = "EVENT_KEYS", hide_env_values = true, value_name = "ID:SECRET,…", value_parser = EventKeys::parse)]
    pub event_keys: Option<EventKeys>,
}
