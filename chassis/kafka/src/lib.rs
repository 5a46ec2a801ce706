//! Kafka by librdkafka: an idempotent producer and a consumer with manual commits, both with metrics, trace context in
//! the message headers (W3C `traceparent`, `tracestate`, `baggage`) and the broker faults at their boundary.
//!
//! Delivery is at least once: a message may come again after a crash, a rebalance or a broker that lost its log.

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

/// How a service reaches its brokers.
#[derive(Debug, Clone, clap::Args)]
pub struct KafkaConfig {
    /// Bootstrap list.
    #[arg(long, env = "KAFKA_BROKERS", default_value = "127.0.0.1:9092", value_name = "HOST:PORT,…")]
    pub kafka_brokers: String,
    /// How long a publish may take before it counts as failed.
    #[arg(long, env = "KAFKA_DELIVERY_TIMEOUT", default_value = "10s", value_parser = humantime::parse_duration)]
    pub kafka_delivery_timeout: Duration,
    /// Silence after which the group gives this consumer's partitions to another.
    #[arg(long, env = "KAFKA_SESSION_TIMEOUT", default_value = "6s", value_parser = humantime::parse_duration)]
    pub kafka_session_timeout: Duration,
    /// Keys that the services sign their messages with: `id:secret,…`. The first one signs, all of them verify; a message
    /// without a valid signature becomes a dead letter. With `unsigned` at the end, one without any is let through. Absent:
    /// nothing is signed or verified.
    #[arg(long, env = "EVENT_KEYS", hide_env_values = true, value_name = "ID:SECRET,…", value_parser = EventKeys::parse)]
    pub event_keys: Option<EventKeys>,
}
