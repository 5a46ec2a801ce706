//! The metrics of the broker boundary. One set per process: created by the producer, shared with its consumers.

use prometheus::{GaugeVec, IntCounterVec, IntGaugeVec};

use chassis_telemetry::metrics::{HistogramVec, LATENCY_BUCKETS, Metrics};

/// The metric families of producer and consumers.
pub(super) struct KafkaMetrics {
    pub(super) published: IntCounterVec,
    pub(super) publish_duration: HistogramVec,
    pub(super) consumed: IntCounterVec,
    pub(super) process_duration: HistogramVec,
    pub(super) lag: IntGaugeVec,
    pub(super) oldest_age: GaugeVec,
    pub(super) rebalances: IntCounterVec,
    pub(super) dead_letters: IntCounterVec,
    pub(super) retries: IntCounterVec,
    pub(super) queue_size: IntGaugeVec,
}

impl KafkaMetrics {
    pub(super) fn new(metrics: &Metrics) -> Self {
        Self {
            published: metrics.counter_vec(
                "kafka_published_total",
                "Messages handed to the broker, by outcome: ok (acknowledged by all replicas) or error.",
                &["topic", "outcome"],
            ),
            publish_duration: metrics.histogram_vec(
                "kafka_publish_duration_seconds",
                "Time from publishing a message to its acknowledgement or failure.",
                &["topic"],
                LATENCY_BUCKETS,
            ),
            consumed: metrics.counter_vec(
                "kafka_consumed_total",
                "Messages decided for good, by outcome: done or dead_letter.",
                &["topic", "outcome"],
            ),
            process_duration: metrics.histogram_vec(
                "kafka_process_duration_seconds",
                "Time that one attempt to handle a message took.",
                &["topic"],
                LATENCY_BUCKETS,
            ),
            lag: metrics.gauge_vec(
                "kafka_consumer_lag",
                "Messages of an assigned partition that the group has not committed.",
                &["topic", "partition"],
            ),
            oldest_age: metrics.float_gauge_vec(
                "kafka_oldest_message_age_seconds",
                "How long the oldest message that is not committed has been waiting; 0 without lag.",
                &["topic", "partition"],
            ),
            rebalances: metrics.counter_vec(
                "kafka_rebalances_total",
                "Times that partitions were given to or taken from this member of the group.",
                &["group"],
            ),
            dead_letters: metrics.counter_vec(
                "dead_letters_total",
                "Messages given up, by the topic that they came from and the reason.",
                &["topic", "reason"],
            ),
            retries: metrics.counter_vec(
                "kafka_retries_total",
                "Attempts to handle a message that will be repeated.",
                &["topic"],
            ),
            queue_size: metrics.gauge_vec(
                "queue_size",
                "Messages waiting in a queue: the lag of all assigned partitions of a topic.",
                &["queue_name"],
            ),
        }
    }

    /// Creates the series of a topic that is published to, so that they start at 0.
    pub(super) fn declare_published(&self, topic: &str) {
        for outcome in ["ok", "error"] {
            self.published.with_label_values(&[topic, outcome]);
        }
        let _ = self.publish_duration.with(&[topic]);
    }

    /// Creates the series of a topic that is consumed, so that they start at 0.
    pub(super) fn declare_consumed(&self, topic: &str, group: &str, reasons: &[&str]) {
        for outcome in ["done", "dead_letter"] {
            self.consumed.with_label_values(&[topic, outcome]);
        }
        for reason in reasons {
            self.dead_letters.with_label_values(&[topic, reason]);
        }
        let _ = self.process_duration.with(&[topic]);
        self.rebalances.with_label_values(&[group]);
        self.retries.with_label_values(&[topic]);
        self.queue_size.with_label_values(&[topic]);
    }
}
