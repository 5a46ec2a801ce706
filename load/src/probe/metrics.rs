//! What the probes export. Every label combination exists from the start.

use std::time::Duration;

use chassis_telemetry::metrics::{
    GaugeVec, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, LATENCY_BUCKETS, Metrics,
};
use chrono::{DateTime, Utc};

use super::{
    journey::{Journey, Outcome, Step},
    samples::{Kind, Verdict},
    trace::Trace,
};

chassis_telemetry::metrics! {
    /// Of journeys and rounds.
    pub struct ProbeMetrics {
        /// Journeys that ended, by journey and outcome.
        probe_journeys_total: IntCounterVec["journey", "outcome"],
        /// Steps that ended, by journey, step and outcome; a journey ends with its first failed step.
        probe_steps_total: IntCounterVec["journey", "step", "outcome"],
        /// Time that a step took, by journey and step; settle is the time until the order was settled.
        probe_step_duration_seconds: HistogramVec["journey", "step"](LATENCY_BUCKETS),
        /// When a journey last succeeded; before the first success, when the probes began.
        probe_last_success_timestamp_seconds: GaugeVec["journey"],
        /// 1 while the probes wait for a shop that starts, and have not begun.
        probe_waiting: IntGauge,
        /// Requests that were sent, by the upstream that has to answer them; edge for those that the firewall has to block.
        probe_requests_total: IntCounterVec["upstream"],
        /// Samples that were sent to the firewall, by sample and verdict.
        probe_firewall_samples_total: IntCounterVec["sample", "verdict"],
        /// Samples whose last verdict was wrong: attacks that passed, and look-alikes that were blocked.
        probe_firewall_wrong: IntGaugeVec["sample"],
    }
}

/// Who has to answer a request; also the value of the label `upstream`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumCount, strum::VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Upstream {
    /// The edge itself, with 403.
    Edge,
    /// order-api.
    OrderApi,
    /// user-service.
    UserService,
}

impl Upstream {
    /// All of them.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    /// Name in labels.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl ProbeMetrics {
    /// Registers the metrics.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Self {
        let families = Self::register(metrics);
        families.late_from(Utc::now());
        for journey in Journey::ALL {
            for outcome in Outcome::ALL {
                let labels = [journey.as_str(), outcome.as_str()];
                let _ = families.probe_journeys_total.with_label_values(&labels);
                for step in journey.steps() {
                    let labels = [journey.as_str(), step.as_str(), outcome.as_str()];
                    let _ = families.probe_steps_total.with_label_values(&labels);
                    let _ = families.probe_step_duration_seconds.with(&[journey.as_str(), step.as_str()]);
                }
            }
        }
        for upstream in Upstream::ALL {
            let _ = families.probe_requests_total.with_label_values(&[upstream.as_str()]);
        }
        for kind in Kind::ALL {
            let _ = families.probe_firewall_wrong.with_label_values(&[kind.as_str()]);
            for verdict in Verdict::ALL {
                let labels = [kind.as_str(), verdict.as_str()];
                let _ = families.probe_firewall_samples_total.with_label_values(&labels);
            }
        }
        families
    }

    /// The shop is not open yet: the probes wait, and no journey is late.
    pub(super) fn waits(&self, at: DateTime<Utc>) {
        self.probe_waiting.set(1);
        self.late_from(at);
    }

    /// The probes begin.
    pub(super) fn begins(&self) {
        self.probe_waiting.set(0);
    }

    /// Time without a success counts from here.
    fn late_from(&self, at: DateTime<Utc>) {
        for journey in Journey::ALL {
            let last = self.probe_last_success_timestamp_seconds.with_label_values(&[journey.as_str()]);
            last.set(seconds(at));
        }
    }

    /// A request is sent.
    pub(super) fn asked(&self, upstream: Upstream) {
        self.probe_requests_total.with_label_values(&[upstream.as_str()]).inc();
    }

    /// A step has ended.
    pub(super) fn stepped(
        &self,
        journey: Journey,
        step: Step,
        outcome: Outcome,
        took: Duration,
        trace: Trace,
    ) {
        let (journey, step) = (journey.as_str(), step.as_str());
        self.probe_steps_total.with_label_values(&[journey, step, outcome.as_str()]).inc();
        let duration = self.probe_step_duration_seconds.with(&[journey, step]);
        duration.observe_in(took.as_secs_f64(), Some(trace.exemplar()));
    }

    /// A journey has ended.
    pub(super) fn walked(&self, journey: Journey, outcome: Outcome, at: DateTime<Utc>) {
        let journey = journey.as_str();
        self.probe_journeys_total.with_label_values(&[journey, outcome.as_str()]).inc();
        if outcome == Outcome::Ok {
            self.probe_last_success_timestamp_seconds.with_label_values(&[journey]).set(seconds(at));
        }
    }

    /// The firewall has judged a sample.
    pub(super) fn judged(&self, kind: Kind, verdict: Verdict) {
        self.probe_firewall_samples_total.with_label_values(&[kind.as_str(), verdict.as_str()]).inc();
    }

    /// This number of samples of a kind is judged wrongly.
    pub(super) fn wrong(&self, kind: Kind, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.probe_firewall_wrong.with_label_values(&[kind.as_str()]).set(count);
    }
}

/// Unix time. Milliseconds since 1970 fit into the 53 bits of a float.
fn seconds(at: DateTime<Utc>) -> f64 {
    at.timestamp_millis() as f64 / 1_000.0
}
