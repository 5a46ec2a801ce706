//! What remains of a run: for people a table and a page, for machines JSON and JUnit. Pure: no I/O.

mod breaks;
mod html;
mod junit;
mod text;

use std::collections::BTreeMap;

pub use breaks::Break;
use serde::{Deserialize, Serialize};

use crate::run::{
    Finished, Judged, Verdict,
    board::{Board, Point, Row},
    judge, overall,
};
use crate::scenario::{Scenario, Threshold};

/// A finished run of a scenario.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Name of the scenario.
    pub scenario: String,
    /// Its sentence.
    pub description: String,
    /// Base URLs by name.
    pub targets: BTreeMap<String, String>,
    /// Seed of the run.
    pub seed: u64,
    /// When it began, RFC 3339 UTC.
    pub started_at: String,
    /// The revision of the checkout that it ran in; empty if unknown.
    pub commit: String,
    /// Measured time in seconds.
    pub seconds: f64,
    /// Whether it ran to its end.
    pub whole: bool,
    /// Pass, fail or inconclusive.
    pub verdict: Verdict,
    /// Thresholds with what was seen.
    pub thresholds: Vec<Judged>,
    /// At which offered rate a threshold began to be missed; the first in time first.
    #[serde(default)]
    pub breaks: Vec<Break>,
    /// All steps that do not wait for a result.
    pub total: Line,
    /// By step.
    pub steps: Vec<Line>,
    /// By journey, from when it was due to the end of its last step.
    pub journeys: Vec<Line>,
    /// Starts that were due and did not happen.
    pub skipped: u64,
    /// How late the generator itself was: 99th percentile in milliseconds.
    pub late_p99_ms: f64,
    /// The most memory that the generator had at once, in MiB, before it wrote its report; `None` where there is no /proc.
    #[serde(default)]
    pub peak_mib: Option<f64>,
    /// At most 2,048 points.
    pub curve: Vec<Point>,
}

/// The measurements of a step or journey. Times in milliseconds, from when it was due.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// Samples.
    pub count: u64,
    /// Those that failed.
    pub errors: u64,
    /// Failures by reason.
    pub failures: BTreeMap<String, u64>,
    /// Successes per second.
    pub good_per_second: f64,
    /// Mean: what Little's law needs, and nothing to judge by.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile.
    pub p999: f64,
    /// Largest.
    pub max: f64,
}

impl Line {
    fn of(row: &Row, seconds: f64) -> Self {
        Self {
            name: row.name.clone(),
            count: row.count(),
            errors: row.errors(),
            failures: row.failures.clone(),
            good_per_second: if seconds > 0.0 { row.good.len() as f64 / seconds } else { 0.0 },
            mean: row.times.mean() / 1_000.0,
            p50: row.quantile_ms(0.5),
            p90: row.quantile_ms(0.9),
            p99: row.quantile_ms(0.99),
            p999: row.quantile_ms(0.999),
            max: row.times.max() as f64 / 1_000.0,
        }
    }
}

impl Report {
    /// The report of `finished`, which began at `started_at` (RFC 3339) in a checkout at `commit`.
    #[must_use]
    pub fn of(scenario: &Scenario, finished: &Finished, started_at: String, commit: String) -> Self {
        let Finished { board, seconds, whole } = finished;
        let named = Self {
            scenario: scenario.name.clone(),
            description: scenario.description.clone(),
            targets: scenario.targets.iter().map(|(name, url)| (name.clone(), url.to_string())).collect(),
            seed: scenario.seed,
            started_at,
            commit,
            ..Self::default()
        };
        named.measured(board, &scenario.thresholds, *seconds, *whole)
    }

    /// The report of runs that were one load from several processes or hosts; `board` has all of their measurements. The thresholds
    /// are judged again, and what was true of one run only (its seed, its start, its memory) is that of the first. `None` without runs.
    #[must_use]
    pub fn merged(runs: &[Self], board: &Board) -> Option<Self> {
        let first = runs.first()?;
        // They ran side by side.
        let seconds = runs.iter().map(|run| run.seconds).fold(0.0, f64::max);
        let whole = runs.iter().all(|run| run.whole);
        let limits = first.thresholds.iter().filter_map(|judged| judged.threshold.parse::<Threshold>().ok());
        Some(first.clone().measured(board, &limits.collect::<Vec<_>>(), seconds, whole))
    }

    /// The same report with everything that comes from measurements taken from `board`, and judged by `limits`.
    fn measured(self, board: &Board, limits: &[Threshold], seconds: f64, whole: bool) -> Self {
        let thresholds = judge(board, limits, seconds, whole);
        let lines = |rows: &[Row]| rows.iter().map(|row| Line::of(row, seconds)).collect();
        Self {
            seconds,
            whole,
            verdict: overall(&thresholds, board),
            breaks: breaks::breaks(board, limits, &thresholds),
            thresholds,
            total: Line::of(&board.total, seconds),
            steps: lines(&board.steps),
            journeys: lines(&board.journeys),
            skipped: board.skipped,
            late_p99_ms: board.late.value_at_quantile(0.99) as f64 / 1_000.0,
            curve: board.curve.clone(),
            ..self
        }
    }

    /// With the memory that the generator needed, which is judged like a threshold if it may need `most` MiB at most.
    #[must_use]
    pub fn with_memory(mut self, peak_mib: Option<f64>, most: Option<f64>) -> Self {
        self.peak_mib = peak_mib;
        if let Some(most) = most {
            let judged = memory(peak_mib, most);
            self.verdict = self.verdict.max(judged.verdict);
            self.thresholds.push(judged);
        }
        self
    }

    /// A table for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        text::write(self)
    }

    /// JUnit XML: a test case for each threshold. An inconclusive one is skipped.
    #[must_use]
    pub fn junit(&self) -> String {
        junit::write(self)
    }

    /// One page of HTML with curves, that needs nothing else: no script, no other file, no network.
    #[must_use]
    pub fn html(&self) -> String {
        html::write(self)
    }
}

fn memory(peak_mib: Option<f64>, most: f64) -> Judged {
    let (verdict, seen, reason) = match peak_mib {
        Some(peak) if peak <= most => (Verdict::Pass, format!("{peak:.1} MiB"), ""),
        Some(peak) => (Verdict::Fail, format!("{peak:.1} MiB"), ""),
        None => (Verdict::Inconclusive, "unknown".to_owned(), "memory is read from /proc, on Linux"),
    };
    Judged { threshold: format!("generator memory <= {most} MiB"), seen, verdict, reason: reason.to_owned() }
}

/// The report of a run of `smoke` with 500 requests of 20 ms, one of which failed.
#[cfg(test)]
pub(crate) fn example() -> Report {
    use crate::run::board::Sample;

    let text = include_str!("../../scenarios/smoke.yaml");
    let scenario = crate::scenario::read("smoke.yaml", text).unwrap();
    let steps: Vec<_> =
        scenario.steps().map(|(_, step)| (step.name.as_str(), step.until.is_some())).collect();
    let mut board = Board::new(&steps, &["a<b"], std::time::Duration::ZERO);
    for n in 0..500 {
        let failure = (n == 7).then(|| "status 503".to_owned());
        let time = std::time::Duration::from_millis(20);
        board.step(0, &Sample { due: time, time, failure });
        board.tick(time * n, 10.0, 2);
    }
    let finished = Finished { board, seconds: 10.0, whole: true };
    Report::of(&scenario, &finished, "2026-11-29T12:00:00Z".to_owned(), String::new())
}

#[cfg(test)]
mod tests {
    use super::{example as report, *};

    #[test]
    fn a_report_survives_json() {
        let report = report();
        let json = serde_json::to_string(&report).unwrap();
        // As text: the last bit of a number may differ.
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap().text(), report.text());
        assert_eq!(report.verdict, Verdict::Fail, "smoke accepts no error: {:?}", report.thresholds);
    }

    #[test]
    fn memory_is_kept_and_judged_only_if_it_has_a_limit() {
        let passed = || Report { verdict: Verdict::Pass, thresholds: Vec::new(), ..report() };
        let verdict = |peak, most| passed().with_memory(peak, most).verdict;
        assert_eq!(verdict(Some(19.9), Some(20.0)), Verdict::Pass);
        assert_eq!(verdict(Some(20.1), Some(20.0)), Verdict::Fail);
        assert_eq!(verdict(None, Some(20.0)), Verdict::Inconclusive);
        assert_eq!(verdict(Some(20.1), None), Verdict::Pass);
        let failed = report().with_memory(Some(5.0), Some(20.0));
        assert_eq!(failed.verdict, Verdict::Fail, "little memory excuses nothing");
        assert!(failed.text().contains("5.0 MiB") && failed.junit().contains("generator memory"));
    }

    #[test]
    fn the_page_needs_nothing_else_and_junit_counts_its_failures() {
        let report = report();
        let page = report.html();
        assert!(page.contains("<svg") && page.contains("status 503"), "{page}");
        assert!(page.contains("a&lt;b") && !page.contains("a<b"));
        for outside in ["<script", "src=", "@import", "<link"] {
            assert!(!page.contains(outside), "{outside}");
        }
        let failed = report.thresholds.iter().filter(|judged| judged.verdict == Verdict::Fail).count();
        assert!(failed > 0);
        let junit = report.junit();
        assert!(junit.contains(&format!("failures=\"{failed}\"")), "{junit}");
        assert_eq!(junit.matches("<failure").count(), failed);
        assert!(report.text().contains("status 503"), "{}", report.text());
    }

    #[test]
    fn what_is_waited_for_has_a_curve_if_anything_is() {
        let mut report = Report { peak_mib: Some(9.5), ..report() };
        let title = "Time until what is waited for arrives";
        assert!(!report.html().contains(title) && report.html().contains("it needed 9.5 MiB"));
        report.curve[3].awaited_p99 = 800.0;
        assert!(report.html().contains(title));
    }
}
