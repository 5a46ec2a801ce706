//! Where a run broke: at which offered rate a threshold began to be missed. Pure.
//!
//! Taken from the curve, so only for what the curve has: the p50, the p99, errors and skipped starts of all requests, and the p99 of
//! the one step that waits for a result.

use serde::{Deserialize, Serialize};

use crate::{
    run::{
        Judged, Verdict,
        board::{Board, Point},
    },
    scenario::{Measure, Threshold},
};

/// A threshold has to be missed on this number of points in a row: a second in which the machine did something else is no break.
const LASTING: usize = 5;

/// From when on a threshold was missed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Break {
    /// As it was written.
    pub threshold: String,
    /// Seconds from the start of the run.
    pub at: f64,
    /// Journeys per second that were offered when the requests that missed it were due.
    pub rate: f64,
}

/// The first lasting miss of each threshold that did not pass, in the order of time.
pub(super) fn breaks(board: &Board, thresholds: &[Threshold], judged: &[Judged]) -> Vec<Break> {
    let warmup = board.warmup().as_secs_f64();
    // Nothing is offered while the last requests end.
    let offered = |point: &&Point| point.at > warmup && point.target > 0.0;
    let curve: Vec<Point> = board.curve.iter().filter(offered).copied().collect();
    let failed = thresholds.iter().zip(judged).filter(|(_, judged)| judged.verdict != Verdict::Pass);
    let mut found: Vec<Break> =
        failed.filter_map(|(threshold, _)| first(&curve, threshold, board.awaited())).collect();
    found.sort_by(|a, b| a.at.total_cmp(&b.at));
    found
}

fn first(curve: &[Point], threshold: &Threshold, awaited: Option<&str>) -> Option<Break> {
    let miss = |point: &Point| missed(point, threshold, awaited);
    let span = curve.windows(LASTING).find(|span| span.iter().all(|point| miss(point).is_some()))?;
    let point = span.first()?;
    let due = point.at - miss(point)?;
    let rate = curve.iter().find(|point| point.at >= due).unwrap_or(point).target;
    Some(Break { threshold: threshold.text.clone(), at: point.at, rate })
}

/// How many seconds before the point the requests that missed the threshold were due; `None` if it is kept, or not on the curve.
fn missed(point: &Point, threshold: &Threshold, awaited: Option<&str>) -> Option<f64> {
    let is = |share: f64, wanted: f64| (share - wanted).abs() < 1e-9;
    let kept = |seen: f64| threshold.sign.holds(seen, threshold.limit);
    let late = |ms: f64, holds: bool| (!holds).then_some(ms / 1_000.0);
    match threshold.measure {
        Measure::Within(time) if threshold.step.as_deref() == awaited && is(threshold.limit, 0.99) => {
            late(point.awaited_p99, point.awaited_p99 <= time.as_secs_f64() * 1_000.0)
        }
        _ if threshold.step.is_some() => None,
        Measure::Quantile(quantile) if is(quantile, 0.5) => late(point.p50, kept(point.p50)),
        Measure::Quantile(quantile) if is(quantile, 0.99) => late(point.p99, kept(point.p99)),
        Measure::Errors if point.rate > 0.0 => late(0.0, kept(point.errors / point.rate)),
        Measure::Skipped => late(0.0, kept(point.skipped)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::run::{board::Sample, judge};

    /// A minute in which the rate rises by ten each second. A request takes 20 ms until 300 per second, then a second; what waits takes
    /// longer than five seconds from 400 on. In second 5 everything is slow, but not for long.
    fn board() -> Board {
        let mut board = Board::new(&[("read", false), ("settle", true)], &["j"], Duration::ZERO);
        for second in 1..=60_u32 {
            let rate = second * 10;
            let due = Duration::from_secs(u64::from(second));
            let sample = |ms| Sample { due, time: Duration::from_millis(ms), failure: None };
            for _ in 0..rate {
                board.step(0, &sample(if rate > 300 || second == 5 { 1_000 } else { 20 }));
                board.step(1, &sample(if rate > 400 { 6_000 } else { 900 }));
            }
            board.tick(due, f64::from(rate), 1);
        }
        board.tick(Duration::from_secs(61), 0.0, 0);
        board
    }

    fn found(board: &Board, texts: &[&str]) -> Vec<(String, f64, f64)> {
        let thresholds: Vec<Threshold> = texts.iter().map(|text| text.parse().unwrap()).collect();
        let judged = judge(board, &thresholds, 60.0, true);
        let found = breaks(board, &thresholds, &judged);
        found.into_iter().map(|found| (found.threshold, found.at, found.rate)).collect()
    }

    #[test]
    fn the_rate_is_that_at_which_the_late_requests_were_due() {
        let (settle, p99) = ("settle within 5s for 99 %", "p99 < 250ms");
        let found = found(&board(), &[settle, p99, "errors < 1 %", "skipped == 0"]);
        // They end in second 31 and were due a second earlier; those of second 41 were due six seconds earlier.
        let wanted = [(p99.to_owned(), 31.0, 300.0), (settle.to_owned(), 41.0, 350.0)];
        assert_eq!(found, wanted);
    }

    #[test]
    fn what_passes_or_is_not_on_the_curve_has_no_break() {
        for text in ["p99 < 2s", "p90 < 250ms", "read p99 < 250ms", "settle within 5s for 95 %"] {
            assert!(found(&board(), &[text]).is_empty(), "{text}");
        }
    }
}
