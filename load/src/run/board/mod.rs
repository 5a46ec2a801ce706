//! What a run measures, in bounded memory: per step and per journey two histograms, and one curve. Pure: times are offsets from
//! the start.

mod merge;
mod pairs;

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Points of a curve at most. When there would be more, each pair becomes one.
const POINTS: usize = 2_048;
/// Reasons for failures at most, for each row. Texts come from a small set, but a server may answer with any status.
const REASONS: usize = 64;
/// What further reasons are counted as.
const OTHERS: &str = "other reasons";
/// A longer time is recorded as this: it bounds the histograms.
const LONGEST: Duration = Duration::from_secs(7_200);

/// One finished step or journey.
#[derive(Debug, Clone)]
pub struct Sample {
    /// When it was due, from the start of the run.
    pub due: Duration,
    /// From when it was due to its end.
    pub time: Duration,
    /// Why it failed: a short text from a small set, such as `status 503`.
    pub failure: Option<String>,
}

/// The samples of one step, or of one journey from its first step to its last. Times in microseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Name of the step or journey.
    pub name: String,
    /// Times of all samples.
    #[serde(with = "pairs")]
    pub times: Histogram<u64>,
    /// Times of those that succeeded.
    #[serde(with = "pairs")]
    pub good: Histogram<u64>,
    /// Failures by reason.
    pub failures: BTreeMap<String, u64>,
}

impl Row {
    /// Without samples.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), times: histogram(), good: histogram(), failures: BTreeMap::new() }
    }

    /// Samples.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.times.len()
    }

    /// Samples that failed.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.failures.values().sum()
    }

    /// A quantile, 0 to 1, in milliseconds.
    #[must_use]
    pub fn quantile_ms(&self, quantile: f64) -> f64 {
        self.times.value_at_quantile(quantile) as f64 / 1_000.0
    }

    /// Samples that succeeded within `time`.
    #[must_use]
    pub fn within(&self, time: Duration) -> u64 {
        self.good.count_between(0, micros(time))
    }

    fn add(&mut self, sample: &Sample) {
        let time = micros(sample.time);
        // The histograms resize themselves; only a value near 2^64 could be refused.
        let _ = self.times.record(time);
        match &sample.failure {
            Some(reason) => {
                let room = self.failures.len() < REASONS || self.failures.contains_key(reason);
                *self.failures.entry(if room { reason.clone() } else { OTHERS.to_owned() }).or_default() += 1;
            }
            None => {
                let _ = self.good.record(time);
            }
        }
    }
}

/// Three significant digits: off by at most 0.1 %, in a few tens of KiB.
fn histogram() -> Histogram<u64> {
    let mut empty =
        Histogram::new_with_max(1_000, 3).unwrap_or_else(|_| unreachable!("constant, valid bounds"));
    empty.auto(true);
    empty
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.min(LONGEST).as_micros()).unwrap_or(u64::MAX / 2).max(1)
}

/// One point of the curve: what ended in a span of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Seconds from the start to the end of the span.
    pub at: f64,
    /// Rate that the scenario asked for, in journeys per second.
    pub target: f64,
    /// Requests per second that ended.
    pub rate: f64,
    /// Of these, those that failed.
    pub errors: f64,
    /// Median of the response time in milliseconds.
    pub p50: f64,
    /// 99th percentile of the response time in milliseconds.
    pub p99: f64,
    /// Journeys in flight at the end of the span.
    pub in_flight: f64,
    /// Starts skipped in the span, per second.
    pub skipped: f64,
    /// 99th percentile in milliseconds of the steps that wait for a result; 0 if none ended.
    #[serde(default)]
    pub awaited_p99: f64,
}

impl Point {
    /// The two as one. The larger quantile is kept: a peak must stay visible.
    fn joined(self, next: Self) -> Self {
        let mean = f64::midpoint;
        Self {
            at: next.at,
            target: mean(self.target, next.target),
            rate: mean(self.rate, next.rate),
            errors: mean(self.errors, next.errors),
            p50: self.p50.max(next.p50),
            p99: self.p99.max(next.p99),
            in_flight: self.in_flight.max(next.in_flight),
            skipped: mean(self.skipped, next.skipped),
            awaited_p99: self.awaited_p99.max(next.awaited_p99),
        }
    }
}

/// All measurements of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Board {
    /// By step, in the order of the scenario.
    pub steps: Vec<Row>,
    /// By journey.
    pub journeys: Vec<Row>,
    /// All steps that do not wait for a result.
    pub total: Row,
    /// Starts that were due and did not happen.
    pub skipped: u64,
    /// How late the generator itself was, in microseconds.
    #[serde(with = "pairs")]
    pub late: Histogram<u64>,
    /// The curve.
    pub curve: Vec<Point>,
    /// Which steps wait for a result: these are not requests of one response time.
    waits: Vec<bool>,
    warmup: Duration,
    width: u32,
    last: Row,
    #[serde(default = "span")]
    last_awaited: Row,
    last_skipped: u64,
    ticks: u32,
}

/// The samples of a span that has just begun.
fn span() -> Row {
    Row::new("span")
}

impl Board {
    /// For these steps, each with whether it waits for a result, and journeys. What is due before `warmup` is on the curve only.
    #[must_use]
    pub fn new(steps: &[(&str, bool)], journeys: &[&str], warmup: Duration) -> Self {
        Self {
            steps: steps.iter().map(|(name, _)| Row::new(name)).collect(),
            journeys: journeys.iter().map(|name| Row::new(name)).collect(),
            total: Row::new("all requests"),
            skipped: 0,
            late: histogram(),
            curve: Vec::new(),
            waits: steps.iter().map(|(_, waits)| *waits).collect(),
            warmup,
            width: 1,
            last: span(),
            last_awaited: span(),
            last_skipped: 0,
            ticks: 0,
        }
    }

    /// The time from the start that is on the curve only.
    #[must_use]
    pub const fn warmup(&self) -> Duration {
        self.warmup
    }

    /// The step that waits for a result, if there is exactly one.
    #[must_use]
    pub fn awaited(&self) -> Option<&str> {
        let mut waiting = self.steps.iter().zip(&self.waits).filter(|(_, waits)| **waits);
        let (only, _) = waiting.next()?;
        waiting.next().is_none().then_some(only.name.as_str())
    }

    /// Counts a finished step by its number.
    pub fn step(&mut self, number: usize, sample: &Sample) {
        let waits = self.waits[number];
        let span = if waits { &mut self.last_awaited } else { &mut self.last };
        span.add(sample);
        if sample.due < self.warmup {
            return;
        }
        self.steps[number].add(sample);
        if !waits {
            self.total.add(sample);
        }
    }

    /// Counts a finished journey by its number.
    pub fn journey(&mut self, number: usize, sample: &Sample) {
        if sample.due >= self.warmup {
            self.journeys[number].add(sample);
        }
    }

    /// Counts a start that was due and did not happen.
    pub fn skip(&mut self, due: Duration) {
        self.last_skipped += 1;
        if due >= self.warmup {
            self.skipped += 1;
        }
    }

    /// Records how late a journey started.
    pub fn late(&mut self, by: Duration) {
        let _ = self.late.record(micros(by));
    }

    /// Once a second: ends the span when it is wide enough.
    pub fn tick(&mut self, at: Duration, target: f64, in_flight: usize) {
        self.ticks += 1;
        if self.ticks < self.width {
            return;
        }
        let seconds = f64::from(self.ticks);
        self.curve.push(Point {
            at: at.as_secs_f64(),
            target,
            rate: self.last.count() as f64 / seconds,
            errors: self.last.errors() as f64 / seconds,
            p50: self.last.quantile_ms(0.5),
            p99: self.last.quantile_ms(0.99),
            in_flight: in_flight as f64,
            skipped: self.last_skipped as f64 / seconds,
            awaited_p99: self.last_awaited.quantile_ms(0.99),
        });
        (self.last, self.last_awaited, self.last_skipped, self.ticks) = (span(), span(), 0, 0);
        if self.curve.len() >= POINTS {
            let pair = |pair: &[Point]| pair.iter().copied().reduce(Point::joined);
            self.curve = self.curve.chunks(2).filter_map(pair).collect();
            self.width *= 2;
        }
    }
}

#[cfg(test)]
mod tests;
