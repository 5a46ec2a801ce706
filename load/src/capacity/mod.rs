//! How much a system can do while it keeps its objective: steps of offered load, where they stop being good, what limits them, and
//! what follows for more load. Pure: the steps are measured by [`crate::command`].

mod page;
mod plan;
mod telemetry;

pub use page::{Findings, write};
pub use plan::{Prices, months_until, replicas};
use serde::{Deserialize, Serialize};
use statistics::{student::p_value, usl::Load};
pub use telemetry::{QUERIES, Query, SATURATION, Saturated, stations, worst};

use crate::{report::Report, run::board::Point};

/// The objective that a step has to keep.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    /// Largest 99th percentile of the response time, in milliseconds.
    pub p99_ms: f64,
    /// Largest share of failed requests.
    pub errors: f64,
}

/// A step of the sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Journeys per second that were offered.
    pub offered: f64,
    /// Requests per second that succeeded.
    pub throughput: f64,
    /// Requests in the system at once, by Little's law.
    pub concurrency: f64,
    /// 99th percentile of the response time in milliseconds.
    pub p99_ms: f64,
    /// Share of failed requests.
    pub errors: f64,
    /// Starts that were skipped.
    pub skipped: u64,
    /// Whether the latency did not grow during the step: a queue that fills looks good at its beginning.
    pub steady: bool,
}

impl Step {
    /// The step at `offered` journeys per second.
    #[must_use]
    pub fn of(report: &Report, offered: f64) -> Self {
        let total = &report.total;
        let ended = total.count as f64 / report.seconds.max(0.001);
        Self {
            offered,
            throughput: total.good_per_second,
            concurrency: ended * total.mean / 1_000.0,
            p99_ms: total.p99,
            errors: if total.count > 0 { total.errors as f64 / total.count as f64 } else { 1.0 },
            skipped: report.skipped,
            steady: steady(&report.curve),
        }
    }

    /// Whether the objective was kept.
    #[must_use]
    pub fn good(&self, objective: &Objective) -> bool {
        self.p99_ms <= objective.p99_ms && self.errors <= objective.errors && self.skipped == 0 && self.steady
    }
}

/// Whether the median latency of the second half is neither clearly nor much higher than that of the first.
fn steady(curve: &[Point]) -> bool {
    let medians: Vec<f64> = curve.iter().filter(|point| point.rate > 0.0).map(|point| point.p50).collect();
    let (first, second) = medians.split_at(medians.len() / 2);
    let grown = statistics::mean(second) > 1.5 * statistics::mean(first);
    !(grown && p_value(first, second) < 0.01)
}

/// Where the objective ends to hold, in journeys per second: between the last good step and the first bad one after it, by the
/// logarithm of the p99. `None` if no step was good, or if none was bad: then the sweep did not reach it.
#[must_use]
pub fn knee(steps: &[Step], objective: &Objective) -> Option<f64> {
    let bad = steps.iter().position(|step| !step.good(objective))?;
    let (good, bad) = (&steps[bad.checked_sub(1)?], &steps[bad]);
    let (low, high) = (good.p99_ms.max(0.001).ln(), bad.p99_ms.max(0.001).ln());
    let limit = objective.p99_ms.max(0.001).ln();
    // A step that is bad for another reason than its p99 says nothing about the way there.
    let part = if high > limit && limit > low { (limit - low) / (high - low) } else { 0.5 };
    Some(good.offered + (bad.offered - good.offered) * part)
}

/// The steps as the Universal Scalability Law sees them.
#[must_use]
pub fn loads(steps: &[Step]) -> Vec<Load> {
    let usable = steps.iter().filter(|step| step.concurrency > 0.0 && step.throughput > 0.0);
    usable.map(|step| Load { concurrency: step.concurrency, throughput: step.throughput }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECTIVE: Objective = Objective { p99_ms: 250.0, errors: 0.001 };

    fn step(offered: f64, p99_ms: f64) -> Step {
        Step { offered, throughput: offered, concurrency: 1.0, p99_ms, errors: 0.0, skipped: 0, steady: true }
    }

    #[test]
    fn the_knee_lies_between_the_last_good_and_the_first_bad_step() {
        let steps = [step(100.0, 10.0), step(200.0, 25.0), step(300.0, 2_500.0)];
        let found = knee(&steps, &OBJECTIVE).unwrap();
        assert!((found - 250.0).abs() < 1e-6, "half of the way on a logarithmic scale: {found}");
        assert_eq!(knee(&steps[..2], &OBJECTIVE), None, "not reached");
        assert_eq!(knee(&steps[2..], &OBJECTIVE), None, "bad from the start");
        let skipped = [step(100.0, 10.0), Step { skipped: 5, ..step(200.0, 20.0) }];
        assert_eq!(knee(&skipped, &OBJECTIVE), Some(150.0));
    }

    #[test]
    fn a_queue_that_fills_is_not_steady() {
        let point = |p50| Point { rate: 100.0, p50, ..Point::default() };
        let filling: Vec<Point> = (1..=20).map(|n| point(f64::from(n) * 100.0)).collect();
        let calm: Vec<Point> = (1..=20).map(|n| point(10.0 + f64::from(n % 3))).collect();
        assert!(!steady(&filling));
        assert!(steady(&calm) && steady(&[]));
    }
}
