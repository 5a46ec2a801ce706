//! What the broker boundary exports. One set per process, shared by its producer and consumers. The series of a topic are
//! looked up once and kept: finding them costs more than counting.

use std::{collections::HashMap, sync::Arc};

use parking_lot::RwLock;
use prometheus::{GaugeVec, IntCounter, IntCounterVec, IntGaugeVec};

use chassis_telemetry::metrics::{Histogram, HistogramVec, LATENCY_BUCKETS, Metrics};

/// The metric families of producer and consumers.
pub(super) struct KafkaMetrics {
    published: IntCounterVec,
    publish_duration: HistogramVec,
    /// By topic.
    publishing: RwLock<HashMap<String, Arc<Published>>>,
    consumed: IntCounterVec,
    process_duration: HistogramVec,
    pub(super) lag: IntGaugeVec,
    pub(super) oldest_age: GaugeVec,
    rebalances: IntCounterVec,
    replacements: IntCounterVec,
    dead_letters: IntCounterVec,
    retries: IntCounterVec,
    pub(super) queue_size: IntGaugeVec,
}

/// The series of a topic that is published to.
pub(super) struct Published {
    ok: IntCounter,
    error: IntCounter,
    pub(super) duration: Histogram,
}

impl Published {
    /// Counts an attempt by whether the broker acknowledged it.
    pub(super) fn count(&self, ok: bool) {
        if ok { self.ok.inc() } else { self.error.inc() }
    }
}

/// The series of a topic that is consumed.
pub(super) struct Consumed {
    topic: &'static str,
    pub(super) done: IntCounter,
    pub(super) dead_letter: IntCounter,
    pub(super) duration: Histogram,
    pub(super) retries: IntCounter,
    dead_letters: IntCounterVec,
}

impl Consumed {
    /// Counts a message given up for `reason`.
    pub(super) fn given_up(&self, reason: &str) {
        self.dead_letters.with_label_values(&[self.topic, reason]).inc();
    }
}

/// The clients of a group's member that were given up for a new one, by reason.
#[derive(Clone)]
pub(super) struct Replacements {
    /// The coordinator was out of reach while brokers answered.
    pub(super) coordinator: IntCounter,
    /// The coordinator did not answer a join.
    pub(super) join: IntCounter,
}

fn replacements(metrics: &Metrics) -> IntCounterVec {
    metrics.counter_vec(
        "kafka_client_replacements_total",
        "Clients of this member of the group that were replaced, by reason: coordinator (out of reach) or join (not \
         answered).",
        &["group", "reason"],
    )
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
            publishing: RwLock::default(),
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
            replacements: replacements(metrics),
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

    /// The series of a topic that is published to; they begin at 0 when they are first asked for.
    pub(super) fn published(&self, topic: &str) -> Arc<Published> {
        let known = self.publishing.read().get(topic).map(Arc::clone);
        known.unwrap_or_else(|| {
            let counter = |outcome| self.published.with_label_values(&[topic, outcome]);
            let duration = self.publish_duration.with(&[topic]);
            let made = Published { ok: counter("ok"), error: counter("error"), duration };
            let mut publishing = self.publishing.write();
            Arc::clone(publishing.entry(topic.to_owned()).or_insert_with(|| Arc::new(made)))
        })
    }

    /// The rebalances of a group, from now on at 0.
    pub(super) fn rebalances(&self, group: &str) -> IntCounter {
        self.rebalances.with_label_values(&[group])
    }

    /// The replaced clients of a group's member, from now on at 0.
    pub(super) fn replacements(&self, group: &str) -> Replacements {
        let counter = |reason| self.replacements.with_label_values(&[group, reason]);
        Replacements { coordinator: counter("coordinator"), join: counter("join") }
    }

    /// The series of a topic that is consumed, from now on at 0.
    pub(super) fn consumed(&self, topic: &'static str, reasons: &[&str]) -> Consumed {
        for reason in reasons {
            self.dead_letters.with_label_values(&[topic, reason]);
        }
        self.queue_size.with_label_values(&[topic]);
        Consumed {
            topic,
            done: self.consumed.with_label_values(&[topic, "done"]),
            dead_letter: self.consumed.with_label_values(&[topic, "dead_letter"]),
            duration: self.process_duration.with(&[topic]),
            retries: self.retries.with_label_values(&[topic]),
            dead_letters: self.dead_letters.clone(),
        }
    }
}
