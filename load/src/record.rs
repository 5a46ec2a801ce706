//! Measuring: histograms for the summary, metrics for Prometheus.
//!
//! Response time counts from when a request was due, service time from when it was sent. The difference is how late the
//! generator itself was, so a large one means that the generator, not the system, was short of CPU.

use std::time::Duration;

use chassis_telemetry::metrics::{Histogram, LATENCY_BUCKETS, Metrics};
use hdrhistogram::Histogram as Hdr;
use parking_lot::Mutex;
use prometheus::{Gauge, IntCounter, IntGauge};
use tokio::time::Instant;

use crate::{mix::OperationKind, target::Outcome};

const KINDS: usize = OperationKind::ALL.len();
const OUTCOMES: usize = Outcome::ALL.len();

/// One finished request.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// The operation.
    pub operation: OperationKind,
    /// How it ended.
    pub outcome: Outcome,
    /// When it was due.
    pub intended: Instant,
    /// From when it was due to the end of the response.
    pub response_time: Duration,
    /// From when it was sent to the end of the response.
    pub service_time: Duration,
}

/// What `load` exports. Every label combination exists from the start.
pub struct LoadMetrics {
    requests: Vec<[IntCounter; OUTCOMES]>,
    durations: Vec<Histogram>,
    late: Histogram,
    in_flight: IntGauge,
    dropped: IntCounter,
    target_rps: Gauge,
}

impl LoadMetrics {
    /// Registers the metrics.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Self {
        let requests = metrics.counter_vec(
            "load_requests_total",
            "Requests that ended, by operation and outcome.",
            &["operation", "outcome"],
        );
        let durations = metrics.histogram_vec(
            "load_request_duration_seconds",
            "Time from when a request was due to the end of its answer.",
            &["operation"],
            LATENCY_BUCKETS,
        );
        let late = metrics.histogram_vec(
            "load_late_seconds",
            "How late requests were sent: above some milliseconds the generator is short of CPU.",
            &[],
            LATENCY_BUCKETS,
        );
        let by_outcome = |kind: OperationKind| {
            Outcome::ALL.map(|outcome| requests.with_label_values(&[kind.as_str(), outcome.as_str()]))
        };
        Self {
            requests: OperationKind::ALL.map(by_outcome).into(),
            durations: OperationKind::ALL.map(|kind| durations.with(&[kind.as_str()])).into(),
            late: late.with(&[]),
            in_flight: metrics.gauge("load_in_flight", "Requests that wait for an answer."),
            dropped: metrics
                .counter("load_dropped_total", "Requests not sent because too many were in flight."),
            target_rps: metrics
                .float_gauge("load_target_rps", "Requests per second that the schedule asks for."),
        }
    }

    /// The gauge that follows the target rate.
    #[must_use]
    pub const fn target_rps(&self) -> &Gauge {
        &self.target_rps
    }
}

/// The measurements of one operation. Times in microseconds.
#[derive(Debug, Clone)]
pub struct Tally {
    /// Requests by outcome, in the order of [`Outcome::ALL`].
    pub outcomes: [u64; OUTCOMES],
    /// From when they were due.
    pub response_time: Hdr<u64>,
    /// From when they were sent.
    pub service_time: Hdr<u64>,
}

impl Tally {
    /// Without measurements.
    #[must_use]
    pub fn new() -> Self {
        // Two significant digits: a percentile is off by at most 1 %, and a histogram takes a few KiB.
        let mut empty =
            Hdr::new_with_max(1_000, 2).unwrap_or_else(|_| unreachable!("constant, valid bounds"));
        empty.auto(true);
        Self { outcomes: [0; OUTCOMES], response_time: empty.clone(), service_time: empty }
    }

    fn add(&mut self, sample: &Sample) {
        self.outcomes[sample.outcome as usize] += 1;
        record(&mut self.response_time, sample.response_time);
        record(&mut self.service_time, sample.service_time);
    }

    /// Adds another tally to this one.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.outcomes.iter_mut().zip(other.outcomes) {
            *mine += theirs;
        }
        // Both histograms resize themselves, so an addition cannot fail.
        let _ = self.response_time.add(&other.response_time);
        let _ = self.service_time.add(&other.service_time);
    }

    /// Number of requests.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// Requests with this outcome.
    #[must_use]
    pub const fn with(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize]
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self::new()
    }
}

fn record(histogram: &mut Hdr<u64>, time: Duration) {
    let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
    // It resizes itself; only a value near 2^64 could be refused.
    let _ = histogram.record(micros);
}

/// The measurements of a run so far.
#[derive(Debug, Clone)]
pub struct Measured {
    /// By operation, in the order of [`OperationKind::ALL`].
    pub tallies: Vec<Tally>,
    /// Due but not sent.
    pub dropped: u64,
    /// Lateness of the generator itself.
    pub late: Hdr<u64>,
    /// From the end of the warm-up to the end of the last response.
    pub elapsed: Duration,
}

/// Collects samples from many tasks.
pub struct Recorder {
    metrics: LoadMetrics,
    measure_from: Instant,
    state: Mutex<Measured>,
}

impl Recorder {
    /// Starts now; requests due within `warmup` are in the metrics, but not in the summary.
    #[must_use]
    pub fn new(metrics: LoadMetrics, warmup: Duration) -> Self {
        let measured = Measured {
            tallies: vec![Tally::new(); KINDS],
            dropped: 0,
            late: Tally::new().response_time,
            elapsed: Duration::ZERO,
        };
        Self { metrics, measure_from: Instant::now() + warmup, state: Mutex::new(measured) }
    }

    /// The metrics.
    #[must_use]
    pub const fn metrics(&self) -> &LoadMetrics {
        &self.metrics
    }

    /// Counts a finished request.
    pub fn record(&self, sample: Sample) {
        let kind = sample.operation as usize;
        self.metrics.requests[kind][sample.outcome as usize].inc();
        self.metrics.durations[kind].observe(sample.response_time.as_secs_f64());
        if sample.intended >= self.measure_from {
            let mut state = self.lock();
            state.tallies[kind].add(&sample);
            let ended = sample.intended + sample.response_time;
            state.elapsed = state.elapsed.max(ended.saturating_duration_since(self.measure_from));
        }
    }

    /// Counts a request that was due at `intended` but not sent.
    pub fn dropped(&self, intended: Instant) {
        self.metrics.dropped.inc();
        if intended >= self.measure_from {
            self.lock().dropped += 1;
        }
    }

    /// Records how late a request was sent.
    pub fn late(&self, by: Duration) {
        self.metrics.late.observe(by.as_secs_f64());
        record(&mut self.lock().late, by);
    }

    /// Counts a request as in flight until the guard is dropped.
    pub fn in_flight(&self) -> impl Drop + use<> {
        InFlight::new(self.metrics.in_flight.clone())
    }

    /// The measurements so far.
    #[must_use]
    pub fn measured(&self) -> Measured {
        self.lock().clone()
    }

    fn lock(&self) -> parking_lot::MutexGuard<'_, Measured> {
        self.state.lock()
    }
}

struct InFlight(IntGauge);

impl InFlight {
    fn new(gauge: IntGauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
