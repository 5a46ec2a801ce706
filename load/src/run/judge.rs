//! Whether what was measured is what was asked for. Pure.
//!
//! A verdict is only given where there is enough to judge: a p99 of twenty requests is one request.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::board::{Board, Row};
use crate::scenario::{Measure, Threshold};

/// The generator may be this late (99th percentile) before a failed latency says nothing about the target.
const LATE: Duration = Duration::from_millis(50);

/// Pass, fail, or not enough to say.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All thresholds hold.
    Pass,
    /// Too little was measured, or the generator was too busy to measure.
    #[default]
    Inconclusive,
    /// At least one threshold does not hold.
    Fail,
}

impl Verdict {
    /// Exit code: 0, 3, 1.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Inconclusive => 3,
            Self::Fail => 1,
        }
    }

    /// `pass`, `inconclusive` or `fail`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
        }
    }
}

/// A threshold with what was seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// As it was written.
    pub threshold: String,
    /// What was measured, with its unit.
    pub seen: String,
    /// Whether it holds.
    pub verdict: Verdict,
    /// Why it could not be judged; empty otherwise.
    pub reason: String,
}

/// Judges all thresholds. `seconds` is the measured time, and `whole` whether the scenario ran to its end.
#[must_use]
pub fn judge(board: &Board, thresholds: &[Threshold], seconds: f64, whole: bool) -> Vec<Judged> {
    thresholds.iter().map(|threshold| one(board, threshold, seconds, whole)).collect()
}

fn one(board: &Board, threshold: &Threshold, seconds: f64, whole: bool) -> Judged {
    let row = match &threshold.step {
        Some(step) => board.steps.iter().find(|row| row.name == *step).unwrap_or(&board.total),
        None => &board.total,
    };
    let count = row.count() as f64;
    let share = |part: u64| if count > 0.0 { part as f64 / count } else { 0.0 };
    let (value, seen) = match threshold.measure {
        Measure::Quantile(quantile) => {
            let ms = row.quantile_ms(quantile);
            (ms, format!("{ms:.1} ms"))
        }
        Measure::Errors => {
            let errors = share(row.errors());
            (errors, format!("{:.3} %, {} of {count}", errors * 100.0, row.errors()))
        }
        Measure::Within(time) => {
            let within = share(row.within(time));
            (within, format!("{:.2} %", within * 100.0))
        }
        Measure::Skipped => (board.skipped as f64, board.skipped.to_string()),
        Measure::Throughput => {
            let rate = row.good.len() as f64 / seconds.max(0.001);
            (rate, format!("{rate:.1} per second"))
        }
    };
    let holds = threshold.sign.holds(value, threshold.limit);
    let reason = doubt(board, threshold, row, holds)
        .or_else(|| (holds && !whole).then(|| "the run was stopped before its end".to_owned()));
    let verdict = match (&reason, holds) {
        (Some(_), _) => Verdict::Inconclusive,
        (None, true) => Verdict::Pass,
        (None, false) => Verdict::Fail,
    };
    Judged { threshold: threshold.text.clone(), seen, verdict, reason: reason.unwrap_or_default() }
}

/// Why the threshold cannot be judged.
fn doubt(board: &Board, threshold: &Threshold, row: &Row, holds: bool) -> Option<String> {
    let count = row.count();
    let needed = match threshold.measure {
        Measure::Skipped => return None,
        // At least one sample has to be beyond the quantile.
        Measure::Quantile(quantile) if quantile < 1.0 => 1.0 / (1.0 - quantile),
        Measure::Errors if threshold.limit > 0.0 => 1.0 / threshold.limit,
        Measure::Within(_) if threshold.limit < 1.0 => 1.0 / (1.0 - threshold.limit),
        _ => 1.0,
    };
    // 1 / (1 - 0.99) is a little more than 100.
    if (count as f64) < (needed - 0.001).ceil() {
        return Some(format!("{count} samples are too few: {:.0} are needed", needed.ceil()));
    }
    let late = Duration::from_micros(board.late.value_at_quantile(0.99));
    let timed = matches!(threshold.measure, Measure::Quantile(_) | Measure::Within(_));
    (timed && !holds && late > LATE)
        .then(|| format!("the generator was late by {} ms (p99): it is short of CPU", late.as_millis()))
}

/// The verdict of a run: the worst of its thresholds; without any, whether it measured something.
#[must_use]
pub fn overall(judged: &[Judged], board: &Board) -> Verdict {
    let nothing = if board.total.count() == 0 { Verdict::Inconclusive } else { Verdict::Pass };
    judged.iter().map(|judged| judged.verdict).max().unwrap_or(nothing)
}

#[cfg(test)]
mod tests {
    use super::{super::board::Sample, *};

    fn board(count: u64, slow: u64, failed: u64) -> Board {
        let mut board = Board::new(&[("read", false)], &["j"], Duration::ZERO);
        for n in 0..count {
            let time = Duration::from_millis(if n < slow { 400 } else { 10 });
            let failure = (n < failed).then(|| "status 500".to_owned());
            board.step(0, &Sample { due: Duration::from_millis(n), time, failure });
        }
        board
    }

    fn verdict(board: &Board, text: &str, whole: bool) -> Verdict {
        judge(board, &[text.parse().unwrap()], 10.0, whole)[0].verdict
    }

    #[test]
    fn thresholds_hold_or_not() {
        let (good, bad) = (board(10_000, 50, 5), board(10_000, 200, 20));
        for text in ["p99 < 250ms", "errors < 0.1 %", "read within 250ms for 99 %"] {
            assert_eq!(verdict(&good, text, true), Verdict::Pass, "{text}");
            assert_eq!(verdict(&bad, text, true), Verdict::Fail, "{text}");
        }
        assert_eq!(verdict(&good, "throughput >= 999", true), Verdict::Pass);
        assert_eq!(verdict(&good, "throughput >= 1001", true), Verdict::Fail);
    }

    #[test]
    fn too_little_is_not_judged() {
        for text in ["p99 < 250ms", "errors < 0.1 %", "read within 5s for 99 %"] {
            assert_eq!(verdict(&board(50, 0, 0), text, true), Verdict::Inconclusive, "{text}");
        }
        assert_eq!(verdict(&board(100, 0, 0), "p99 < 250ms", true), Verdict::Pass);
        assert_eq!(verdict(&board(0, 0, 0), "errors == 0", true), Verdict::Inconclusive);
    }

    #[test]
    fn a_stopped_run_can_fail_but_not_pass() {
        assert_eq!(verdict(&board(1_000, 0, 0), "p99 < 250ms", false), Verdict::Inconclusive);
        assert_eq!(verdict(&board(1_000, 500, 0), "p99 < 250ms", false), Verdict::Fail);
    }

    #[test]
    fn a_busy_generator_does_not_blame_the_target() {
        let mut late = board(1_000, 500, 0);
        (0..1_000).for_each(|_| late.late(Duration::from_millis(300)));
        assert_eq!(verdict(&late, "p99 < 250ms", true), Verdict::Inconclusive);
        assert_eq!(verdict(&late, "errors == 0", true), Verdict::Pass);
    }
}
