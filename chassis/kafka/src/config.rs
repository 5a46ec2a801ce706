//! How a service reaches its brokers.

use std::time::Duration;

use super::EventKeys;

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
