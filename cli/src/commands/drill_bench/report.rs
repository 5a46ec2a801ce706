//! What several runs come to. pass@1 is the share of runs that pass; pass^k the share of drills that pass
//! with every seed: what one can rely on.

use std::fmt::Write as _;

use serde::Serialize;

use super::respond::Attempt;

/// One drill.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Row {
    /// Its name.
    pub(super) drill: String,
    /// One for each seed.
    pub(super) attempts: Vec<Attempt>,
    /// Why it was not run.
    pub(super) left_out: Option<String>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Report {
    /// Who responded.
    responder: String,
    /// k: runs of each drill.
    seeds: u32,
    /// Whether the responder could neither become an instructor nor read the files of this machine's drills.
    sealed: bool,
    /// Share of the runs that passed, 0 to 1: the mean over drills.
    pass_at_1: Option<f64>,
    /// Share of the drills that passed with every seed.
    pass_hat_k: Option<f64>,
    /// Medians over all runs that count.
    medians: Option<Medians>,
    /// The drills.
    drills: Vec<Row>,
}

/// The middle of several runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Medians {
    score: f64,
    acts: f64,
    queries: f64,
    seconds: f64,
}

impl Row {
    /// A drill that was not run yet.
    pub(super) fn of(drill: &str) -> Self {
        Self { drill: drill.to_owned(), attempts: Vec::new(), left_out: None }
    }

    fn valid(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(|attempt| attempt.is_valid())
    }

    /// Passed, and of how many; none, if no run counts.
    fn passed(&self) -> Option<(usize, usize)> {
        let all = self.valid().count();
        (all > 0).then(|| (self.valid().filter(|attempt| attempt.passed()).count(), all))
    }
}

impl Medians {
    fn of<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> Option<Self> {
        let attempts: Vec<&Attempt> = attempts.collect();
        let of = |value: fn(&Attempt) -> f64| median(attempts.iter().copied().map(value).collect());
        Some(Self {
            score: of(|attempt| attempt.score.unwrap_or_default())?,
            acts: of(|attempt| attempt.acts.len() as f64)?,
            queries: of(|attempt| attempt.queries as f64)?,
            seconds: of(|attempt| attempt.seconds)?,
        })
    }

    fn cells(&self) -> [String; 4] {
        let Self { score, acts, queries, seconds } = self;
        [format!("{score:.0}"), format!("{acts:.0}"), format!("{queries:.0}"), format!("{seconds:.0} s")]
    }
}

impl Report {
    /// From its drills.
    pub(super) fn new(responder: String, seeds: u32, sealed: bool, drills: Vec<Row>) -> Self {
        let shares: Vec<(usize, usize)> = drills.iter().filter_map(Row::passed).collect();
        let count = shares.len() as f64;
        let mean = |share: fn(&(usize, usize)) -> f64| {
            (count > 0.0).then(|| shares.iter().map(share).sum::<f64>() / count)
        };
        Self {
            responder,
            seeds,
            sealed,
            pass_at_1: mean(|(passed, all)| *passed as f64 / *all as f64),
            pass_hat_k: mean(|(passed, all)| if passed == all { 1.0 } else { 0.0 }),
            medians: Medians::of(drills.iter().flat_map(Row::valid)),
            drills,
        }
    }

    /// Whether no run counts.
    pub(super) const fn is_empty(&self) -> bool {
        self.medians.is_none()
    }

    /// For people.
    pub(super) fn table(&self) -> String {
        let mut text = format!(
            "{:24} {:>7} {:>6} {:>5} {:>8} {:>8}\n",
            "DRILL", "PASSED", "SCORE", "ACTS", "QUERIES", "TIME"
        );
        for row in &self.drills {
            let (passed, cells) = match (row.passed(), Medians::of(row.valid())) {
                (Some((passed, all)), Some(medians)) => (format!("{passed}/{all}"), medians.cells()),
                _ => ("-".to_owned(), ["-"; 4].map(str::to_owned)),
            };
            line(&mut text, &row.drill, &passed, &cells);
        }
        if let Some(medians) = &self.medians {
            line(&mut text, "median", "", &medians.cells());
        }
        let percent = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), percent);
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "\n{}: pass@1 {}, pass^{} {}",
            self.responder,
            percent(self.pass_at_1),
            self.seeds,
            percent(self.pass_hat_k)
        );
        text
    }

    /// A row of the table in docs/agents.md.
    pub(super) fn markdown(&self) -> String {
        let share = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), percent);
        let drills = self.drills.iter().filter(|row| row.passed().is_some()).count();
        let cells = self.medians.map_or_else(|| ["-"; 4].map(str::to_owned), |medians| medians.cells());
        format!(
            "| {} | {drills} x {} | {} | {} | {} |\n",
            self.responder,
            self.seeds,
            share(self.pass_at_1),
            share(self.pass_hat_k),
            cells.join(" | ")
        )
    }
}

fn line(text: &mut String, name: &str, passed: &str, [score, acts, queries, time]: &[String; 4]) {
    // Writing to a text cannot fail.
    let _ = writeln!(text, "{name:24} {passed:>7} {score:>6} {acts:>5} {queries:>8} {time:>8}");
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    let lower = if values.len().is_multiple_of(2) { *values.get(middle - 1)? } else { upper };
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(drill: &str, verdicts: &[&str]) -> Row {
        let attempts = verdicts.iter().enumerate().map(|(at, verdict)| Attempt {
            drill: drill.to_owned(),
            run: 1,
            seed: Some(at as u64 + 1),
            verdict: (*verdict).to_owned(),
            score: Some(50.0),
            seconds: 60.0 * (at as f64 + 1.0),
            acts: vec!["restart order-api".to_owned(); at],
            queries: 10,
            exit: Some(0),
        });
        Row { attempts: attempts.collect(), ..Row::of(drill) }
    }

    #[test]
    fn pass_at_1_counts_runs_and_pass_hat_k_only_what_always_passes() {
        let rows = vec![
            row("a", &["passed", "passed", "passed"]),
            row("b", &["passed", "failed", "timed-out"]),
            row("c", &["invalid", "passed", "aborted"]),
            Row { left_out: Some("it needs a cluster".to_owned()), ..Row::of("d") },
        ];
        let report = Report::new("x".to_owned(), 3, true, rows);
        let [one, all] = [report.pass_at_1, report.pass_hat_k].map(|share| (share.unwrap() * 900.0).round());
        assert_eq!((one, all), (700.0, 600.0), "(1 + 1/3 + 1) / 3, and 2 of 3");
        assert_eq!(report.medians.unwrap().seconds, 120.0);
        assert_eq!(report.markdown(), "| x | 3 x 3 | 78 % | 67 % | 50 | 1 | 10 | 120 s |\n");
        let table = report.table();
        assert!(
            table.contains("\nb ") && table.contains(" 1/3 ") && table.contains("pass^3 67 %"),
            "{table}"
        );
        assert!(table.lines().any(|line| line.starts_with("d ") && line.contains('-')), "{table}");
    }

    #[test]
    fn without_a_run_that_counts_there_is_no_number() {
        let report = Report::new("x".to_owned(), 1, false, vec![row("a", &["invalid"])]);
        assert!(report.is_empty());
        assert_eq!(report.markdown(), "| x | 0 x 1 | - | - | - | - | - | - |\n");
        assert!(report.table().contains("pass@1 -"), "{}", report.table());
    }

    #[test]
    fn the_median_of_an_even_number_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0]), Some(2.0));
        assert_eq!(median(vec![9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(Vec::new()), None);
    }
}
