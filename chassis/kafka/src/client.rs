//! How the librdkafka clients are configured, and where librdkafka's log lines go.
//!
//! The values suit a small lab: fast reconnects, because drills kill brokers, and small buffers to save memory.

use std::{
    collections::HashMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig, ClientContext,
    config::RDKafkaLogLevel,
    error::{KafkaError, RDKafkaErrorCode},
};

use super::KafkaConfig;

/// Window, and the lines of one facility written per window: with a broker away, librdkafka repeats
/// itself several times per second for every connection.
const LOG_WINDOW: Duration = Duration::from_secs(10);
const LOG_BURST: u32 = 3;
/// Heartbeats per session timeout. The answer to one tells a member that its group is being rebalanced; it has to join
/// before the coordinator stops waiting, which the embedded broker of local mode does after a second less than that.
const BEATS: u32 = 12;

/// The settings that producer and consumer share.
fn base(config: &KafkaConfig) -> ClientConfig {
    let mut client = ClientConfig::new();
    client
        .set("bootstrap.servers", &config.kafka_brokers)
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "500")
        .set("retry.backoff.ms", "50")
        .set("retry.backoff.max.ms", "500")
        .set("socket.timeout.ms", "6000")
        .set("socket.connection.setup.timeout.ms", "3000")
        .set("socket.nagle.disable", "true")
        .set("topic.metadata.refresh.interval.ms", "10000")
        // Back to the bootstrap address soon: brokers may have come back on other ports. (librdkafka also does so when it
        // sees all brokers down, but sometimes misses it.)
        .set("metadata.recovery.rebootstrap.trigger.ms", "1000")
        // A topic that a broker is about to create is not an error yet.
        .set("allow.auto.create.topics", "true")
        .set_log_level(RDKafkaLogLevel::Warning);
    client
}

/// Idempotent, all replicas acknowledge, small batches.
pub(super) fn producer(config: &KafkaConfig) -> ClientConfig {
    let mut client = base(config);
    client
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("compression.type", "lz4")
        .set("linger.ms", "3")
        .set("message.timeout.ms", millis(config.kafka_delivery_timeout))
        .set("queue.buffering.max.messages", "20000")
        .set("queue.buffering.max.kbytes", "16384");
    client
}

/// Manual commits; partitions move one by one in a rebalance; at most about 1 MiB read ahead for each partition.
pub(super) fn consumer(config: &KafkaConfig, group: &str) -> ClientConfig {
    let mut client = base(config);
    client
        .set("group.id", group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", millis(config.kafka_session_timeout))
        .set("heartbeat.interval.ms", millis(config.kafka_session_timeout / BEATS))
        // The only source for the state of the group's coordinator.
        .set("statistics.interval.ms", "1000")
        .set("fetch.wait.max.ms", "100")
        .set("fetch.error.backoff.ms", "100")
        .set("queued.min.messages", "200")
        .set("queued.max.messages.kbytes", "1024")
        .set("max.partition.fetch.bytes", "262144");
    client
}

fn millis(duration: Duration) -> String {
    duration.as_millis().max(1).to_string()
}

/// Sends librdkafka's log lines and global errors to `tracing`, at most [`LOG_BURST`] per facility and window.
#[derive(Default)]
pub(super) struct Logs {
    quiet: bool,
    seen: Mutex<HashMap<String, Window>>,
}

struct Window {
    since: Instant,
    lines: u32,
}

impl Logs {
    /// A context that logs nothing.
    pub(super) fn quiet() -> Self {
        Self { quiet: true, ..Self::default() }
    }

    /// Whether one more line of `facility` may be written, and how many were suppressed before it.
    fn admit(&self, facility: &str) -> Option<u32> {
        if self.quiet {
            return None;
        }
        let mut seen = self.seen.lock().ok()?;
        let now = Instant::now();
        let window = seen.entry(facility.to_owned()).or_insert(Window { since: now, lines: 0 });
        let mut held_back = 0;
        if now.duration_since(window.since) > LOG_WINDOW {
            held_back = window.lines.saturating_sub(LOG_BURST);
            *window = Window { since: now, lines: 0 };
        }
        window.lines += 1;
        (window.lines <= LOG_BURST).then_some(held_back)
    }

    /// Writes one warning of the client, unless there were too many like it.
    pub(super) fn warn(&self, facility: &str, message: &str) {
        if let Some(held_back) = self.admit(facility) {
            tracing::warn!(target: "librdkafka", facility, message, held_back, "kafka client");
        }
    }
}

impl ClientContext for Logs {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Debug | RDKafkaLogLevel::Info | RDKafkaLogLevel::Notice => {
                tracing::debug!(target: "librdkafka", facility, message, "kafka client");
            }
            _ => self.warn(facility, message),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        match error.rdkafka_error_code() {
            // Each failed connection is a log line already.
            Some(RDKafkaErrorCode::BrokerTransportFailure) => {}
            Some(RDKafkaErrorCode::AllBrokersDown) => self.warn("ALLBROKERSDOWN", reason),
            _ => self.warn("ERROR", reason),
        }
    }
}

impl rdkafka::consumer::ConsumerContext for Logs {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_facility_that_repeats_itself_is_limited() {
        let logs = Logs::default();
        let admitted = (0..20).filter(|_| logs.admit("FAIL").is_some()).count();
        assert_eq!(admitted, LOG_BURST as usize);
        assert!(logs.admit("OTHER").is_some(), "another facility has its own allowance");
    }
}
