//! How much a system can do while it keeps its objective: steps of offered load, where they stop being good, what limits them, and
//! what follows for more load. Pure: the steps are measured by [`crate::command`].

mod advice;
mod autoscalers;
mod findings;
mod forecast;
mod page;
mod plan;
mod telemetry;

use std::time::Duration;

pub use autoscalers::{Aim, Values};
#[cfg(test)]
pub(crate) use findings::example;
pub use findings::{Assumptions, Findings};
pub use page::{UNMEASURED, write};
pub use plan::{Prices, months_until, most_replicas, replicas};
use serde::{Deserialize, Serialize};
use statistics::{student::p_value, usl::Load};
pub use telemetry::{
    CONNECTIONS, CORES, Database, PARTITIONS, QUERIES, Query, REDIS, SATURATION, Saturated, stations, worst,
};

use crate::{
    report::Report,
    run::board::{Board, Point},
    scenario::{Journey, Scenario},
};

/// Share of the knee that is used in operation: what is left is for peaks, and for the time until someone reacts.
pub const SHARE: f64 = 0.6;

/// The objective that a step has to keep.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    /// Largest 99th percentile of the response time, in milliseconds.
    pub p99_ms: f64,
    /// Largest share of failed requests.
    pub errors: f64,
    /// What a step waits for, such as a settled order, has to arrive within this time, in seconds.
    pub settle: f64,
    /// Least share of those that do.
    pub settled: f64,
}

/// A step of the sweep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Journeys per second that were offered.
    pub offered: f64,
    /// Requests per second that succeeded.
    pub throughput: f64,
    /// Of these, those that were answered within the objective's p99: the goodput.
    pub goodput: f64,
    /// Share of the awaited results that arrived in time; 1 if the scenario waits for none.
    pub settled: f64,
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
    /// The step at `offered` journeys per second of `scenario`.
    #[must_use]
    pub fn of(
        scenario: &Scenario,
        report: &Report,
        board: &Board,
        offered: f64,
        objective: &Objective,
    ) -> Self {
        let total = &report.total;
        let seconds = report.seconds.max(0.001);
        let ended = total.count as f64 / seconds;
        let in_time = board.total.within(Duration::from_secs_f64(objective.p99_ms / 1_000.0));
        Self {
            offered,
            throughput: total.good_per_second,
            goodput: in_time as f64 / seconds,
            settled: settled(scenario, board, objective.settle),
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
        let quick = self.p99_ms <= objective.p99_ms && self.errors <= objective.errors;
        quick && self.settled >= objective.settled && self.skipped == 0 && self.steady
    }
}

/// Share of the awaited results that arrived within `seconds`: a queue behind the requests grows while these stay quick.
fn settled(scenario: &Scenario, board: &Board, seconds: f64) -> f64 {
    let waiting = scenario.steps().zip(&board.steps).filter(|((_, step), _)| step.until.is_some());
    let limit = Duration::from_secs_f64(seconds);
    let (in_time, all) =
        waiting.fold((0, 0), |(in_time, all), (_, row)| (in_time + row.within(limit), all + row.count()));
    if all == 0 { 1.0 } else { in_time as f64 / all as f64 }
}

/// Share of the journeys that wait for a result: in the shop, those that place an order.
#[must_use]
pub fn orders(scenario: &Scenario) -> f64 {
    let weight = |all: bool| -> f64 {
        let waits = |journey: &&Journey| all || journey.steps.iter().any(|step| step.until.is_some());
        scenario.journeys.iter().filter(waits).map(|journey| f64::from(journey.weight)).sum()
    };
    weight(false) / weight(true)
}

/// Whether the median latency of the second half is neither clearly nor much higher than that of the first.
fn steady(curve: &[Point]) -> bool {
    let medians: Vec<f64> = curve.iter().filter(|point| point.rate > 0.0).map(|point| point.p50).collect();
    let (first, second) = medians.split_at(medians.len() / 2);
    let grown = statistics::mean(second) > 1.5 * statistics::mean(first);
    !(grown && p_value(first, second) < 0.01)
}

/// The last good step and the bad one above it. `None` if no step was good, or if the last one was: then the sweep did not reach the
/// knee. A bad step below a good one is a disturbance: more load went well.
fn bounds<'a>(steps: &'a [Step], objective: &Objective) -> Option<(&'a Step, &'a Step)> {
    let good = steps.iter().rposition(|step| step.good(objective))?;
    Some((&steps[good], steps.get(good + 1)?))
}

/// Where the objective ends to hold, in journeys per second: between the last good step and the bad one above it, by the logarithm of
/// the p99. `None` if the sweep did not reach it.
#[must_use]
pub fn knee(steps: &[Step], objective: &Objective) -> Option<f64> {
    let (good, bad) = bounds(steps, objective)?;
    let (low, high) = (good.p99_ms.max(0.001).ln(), bad.p99_ms.max(0.001).ln());
    let limit = objective.p99_ms.max(0.001).ln();
    // A step that is bad for another reason than its p99 says nothing about the way there.
    let part = if high > limit && limit > low { (limit - low) / (high - low) } else { 0.5 };
    Some(good.offered + (bad.offered - good.offered) * part)
}

/// The steps on both sides of the knee are at most this far apart. So close, 90 % of any knee between them is below the good one, and
/// 110 % above the bad one.
const CLOSE: f64 = 1.1;

/// The rate to look at next, in journeys per second: between the steps on both sides of the knee. `None` if they are close enough, or
/// if the sweep did not reach it. `steps` are in the order of the offered load.
#[must_use]
pub fn between(steps: &[Step], objective: &Objective) -> Option<f64> {
    let (good, bad) = bounds(steps, objective)?;
    (bad.offered > good.offered * CLOSE).then(|| (good.offered * bad.offered).sqrt())
}

/// Whether steps at 90 % and at 110 % of a knee confirm it: the objective holds in the first, and is missed in the
/// second.
#[must_use]
pub fn confirms(validation: &[Step], objective: &Objective) -> bool {
    matches!(validation, [below, above] if below.good(objective) && !above.good(objective))
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

    const OBJECTIVE: Objective = Objective { p99_ms: 250.0, errors: 0.001, settle: 5.0, settled: 0.99 };

    fn step(offered: f64, p99_ms: f64) -> Step {
        findings::step(offered, p99_ms)
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
        let late = [step(100.0, 10.0), Step { settled: 0.5, ..step(200.0, 20.0) }];
        assert_eq!(knee(&late, &OBJECTIVE), Some(150.0), "orders that are settled too late");
        let disturbed = [step(50.0, 900.0), step(100.0, 10.0), Step { skipped: 5, ..step(200.0, 20.0) }];
        assert_eq!(knee(&disturbed, &OBJECTIVE), Some(150.0), "a bad step below a good one");
    }

    #[test]
    fn the_steps_around_the_knee_are_brought_close_together() {
        let mut steps = vec![step(100.0, 10.0), step(200.0, 2_500.0), step(400.0, 5_000.0)];
        // This system is good up to 150 journeys/s.
        while let Some(rate) = between(&steps, &OBJECTIVE) {
            let at = steps.partition_point(|step| step.offered < rate);
            steps.insert(at, step(rate, if rate <= 150.0 { 20.0 } else { 2_000.0 }));
            assert!(steps.len() < 10, "{steps:?}");
        }
        let found = knee(&steps, &OBJECTIVE).unwrap();
        assert!(found * 0.9 <= 150.0 && found * 1.1 > 150.0, "90 % and 110 % confirm it: {found}");
        assert_eq!(between(&steps[..1], &OBJECTIVE), None, "not reached");
    }

    #[test]
    fn a_step_counts_what_is_in_time_and_what_arrives_later() {
        use crate::run::board::Sample;

        let scenario =
            crate::scenario::read("average.yaml", include_str!("../../scenarios/average.yaml")).unwrap();
        assert!((orders(&scenario) - 0.4).abs() < 1e-12);
        let steps: Vec<_> =
            scenario.steps().map(|(_, step)| (step.name.as_str(), step.until.is_some())).collect();
        let mut board = Board::new(&steps, &["order", "browse"], Duration::ZERO);
        for n in 0..100 {
            let (due, failure) = (Duration::from_secs(n), None);
            let sample = |ms| Sample { due, time: Duration::from_millis(ms), failure: failure.clone() };
            // One in four is slow, and one in two is settled late.
            board.step(0, &sample(if n % 4 == 0 { 900 } else { 20 }));
            board.step(1, &sample(if n % 2 == 0 { 8_000 } else { 300 }));
        }
        let finished = crate::run::Finished { board, seconds: 10.0, whole: true };
        let report = Report::of(&scenario, &finished, String::new(), String::new());
        let step = Step::of(&scenario, &report, &finished.board, 10.0, &OBJECTIVE);
        assert!((step.throughput - 10.0).abs() < 1e-9 && (step.goodput - 7.5).abs() < 1e-9, "{step:?}");
        assert!((step.settled - 0.5).abs() < 1e-9, "{step:?}");
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
