//! What a run exports while it runs, for Prometheus. Names of steps and journeys are those of the scenario, so that there are as many
//! series as it has lines; every series exists from the start, at 0.

use std::time::Duration;

use chassis_telemetry::metrics::{Histogram, IntCounter, IntGauge, LATENCY_BUCKETS, Metrics};
use opentelemetry::TraceId;
use prometheus::Gauge;

use super::board::Sample;
use crate::scenario::Scenario;

/// Counters of one step or journey by outcome.
struct Outcomes {
    ok: IntCounter,
    failed: IntCounter,
}

impl Outcomes {
    fn count(&self, sample: &Sample) {
        if sample.failure.is_none() { self.ok.inc() } else { self.failed.inc() }
    }
}

/// The metrics of one run.
pub(super) struct RunMetrics {
    /// In the order of the scenario; the same for the others.
    steps: Vec<(Outcomes, Histogram)>,
    journeys: Vec<Outcomes>,
    late: Histogram,
    skipped: IntCounter,
    in_flight: IntGauge,
    target: Gauge,
}

impl RunMetrics {
    /// Registers them.
    pub(super) fn new(scenario: &Scenario, metrics: &Metrics) -> Self {
        let requests = metrics.counter_vec(
            "load_steps_total",
            "Steps of a scenario that ended, by step and outcome.",
            &["step", "outcome"],
        );
        let durations = metrics.histogram_vec(
            "load_step_duration_seconds",
            "Time from when a step was due to its end.",
            &["step"],
            LATENCY_BUCKETS,
        );
        let journeys = metrics.counter_vec(
            "load_journeys_total",
            "Journeys of a scenario that ended, by journey and outcome.",
            &["journey", "outcome"],
        );
        let outcomes = |name: &str, family: &prometheus::IntCounterVec| Outcomes {
            ok: family.with_label_values(&[name, "ok"]),
            failed: family.with_label_values(&[name, "failed"]),
        };
        let step = |name: &str| (outcomes(name, &requests), durations.with(&[name]));
        Self {
            steps: scenario.steps().map(|(_, one)| step(&one.name)).collect(),
            journeys: scenario.journeys.iter().map(|one| outcomes(&one.name, &journeys)).collect(),
            late: metrics.histogram(
                "load_late_seconds",
                "How late journeys started: above some milliseconds the generator is short of CPU.",
                LATENCY_BUCKETS,
            ),
            skipped: metrics.counter("load_skipped_total", "Journeys that were due and did not start."),
            in_flight: metrics.gauge("load_journeys_in_flight", "Journeys that have not ended."),
            target: metrics.float_gauge(
                "load_target_journeys_per_second",
                "Journeys per second that the scenario asks for.",
            ),
        }
    }

    /// Counts a step by its number; the trace of its request, if it is sampled, becomes the exemplar of its bucket.
    pub(super) fn step(&self, number: usize, sample: &Sample, trace: Option<TraceId>) {
        if let Some((outcomes, duration)) = self.steps.get(number) {
            outcomes.count(sample);
            duration.observe_in(sample.time.as_secs_f64(), trace);
        }
    }

    /// Counts a journey by its number.
    pub(super) fn journey(&self, number: usize, sample: &Sample) {
        if let Some(outcomes) = self.journeys.get(number) {
            outcomes.count(sample);
        }
    }

    /// Counts a journey that did not start.
    pub(super) fn skip(&self) {
        self.skipped.inc();
    }

    /// Records how late a journey started.
    pub(super) fn late(&self, by: Duration) {
        self.late.observe(by.as_secs_f64());
    }

    /// Once a second.
    pub(super) fn tick(&self, target: f64, in_flight: usize) {
        self.target.set(target);
        self.in_flight.set(i64::try_from(in_flight).unwrap_or(i64::MAX));
    }
}
