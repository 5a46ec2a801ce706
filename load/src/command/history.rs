//! `load history SCENARIO`

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use statistics::changes::{Change, changes};

use super::{
    Stop, say,
    store::{Entry, Store},
};

/// Shows when the results of a scenario changed, between which commits, and which steps moved. Only runs against the same targets as
/// the latest one are looked at: two systems differ without any change.
#[derive(Debug, Args)]
pub(super) struct History {
    /// Name of the scenario
    scenario: String,
    /// What to look at
    #[arg(long, value_enum, default_value_t = Metric::P99)]
    metric: Metric,
    /// Smallest change to report, in percent
    #[arg(long, default_value_t = 3.0, value_name = "PERCENT")]
    least: f64,
    /// Where runs are kept
    #[arg(long, env = "LOAD_FOLDER", default_value = ".lab/load", value_name = "FOLDER")]
    folder: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Metric {
    /// Median of the response time
    P50,
    /// 99th percentile of the response time
    P99,
    /// Requests per second that succeed
    Throughput,
}

impl Metric {
    const fn of(self, entry: &Entry) -> f64 {
        match self {
            Self::P50 => entry.p50,
            Self::P99 => entry.p99,
            Self::Throughput => entry.throughput,
        }
    }
}

impl History {
    pub(super) fn show(self) -> Result<u8, Stop> {
        let all = Store::at(&self.folder).entries(&self.scenario)?;
        let runs = all.len();
        let entries = of_latest_targets(all);
        if entries.is_empty() {
            return Err(Stop::Nothing(format!("{0} has no history yet: load run {0}", self.scenario)));
        }
        let values: Vec<f64> = entries.iter().map(|entry| self.metric.of(entry)).collect();
        let found = changes(&values, self.least / 100.0);
        say(&format!(
            "{}: {} runs, {} changes of {:?}",
            self.scenario,
            entries.len(),
            found.len(),
            self.metric
        ));
        if entries.len() < runs {
            say(&format!("{} runs against other targets are left out.", runs - entries.len()));
        }
        // Fewer than this cannot hold a change that is not chance.
        if entries.len() < 10 {
            say("A change shows from about ten runs on.");
        }
        for change in &found {
            say(&sentence(change, &entries));
        }
        Ok(0)
    }
}

/// The runs against the targets of the latest one.
fn of_latest_targets(mut entries: Vec<Entry>) -> Vec<Entry> {
    let targets = entries.last().map(|entry| entry.targets.clone()).unwrap_or_default();
    entries.retain(|entry| entry.targets == targets);
    entries
}

/// When, by how much, between which commits, and the steps that moved in the same direction.
fn sentence(change: &Change, entries: &[Entry]) -> String {
    let (last, first) = (&entries[change.index.saturating_sub(1)], &entries[change.index]);
    let named = |commit: &str| if commit.is_empty() { "unknown".to_owned() } else { commit.to_owned() };
    let (from, to) = (named(&last.commit), named(&first.commit));
    let between = if from == to { format!("in {to}") } else { format!("{from}..{to}") };
    format!(
        "{}  {:+.1} %  from {:.2} to {:.2}  (p = {:.1e})  {between}{}",
        first.at,
        change.relative() * 100.0,
        change.before,
        change.after,
        change.p_value,
        moved(change, entries)
    )
}

/// The steps whose p99 changed by at least 5 % there, from the mean of the runs before to the mean of those after, at most ten each.
fn moved(change: &Change, entries: &[Entry]) -> String {
    let before = &entries[change.index.saturating_sub(10)..change.index];
    let after = &entries[change.index..(change.index + 10).min(entries.len())];
    let mean = |entries: &[Entry], step: &str| {
        let values: Vec<f64> = entries.iter().filter_map(|entry| entry.steps.get(step).copied()).collect();
        statistics::mean(&values)
    };
    let mut moved: Vec<(&String, f64)> = entries[change.index]
        .steps
        .keys()
        .map(|step| (step, mean(after, step) / mean(before, step).max(1e-9) - 1.0))
        .filter(|(_, relative)| relative.abs() >= 0.05)
        .collect();
    moved.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    let steps = moved.iter().map(|(step, relative)| format!("{step} {:+.0} %", relative * 100.0));
    let steps = steps.collect::<Vec<_>>().join(", ");
    if steps.is_empty() { steps } else { format!("\n    p99 of steps: {steps}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(n: usize) -> Entry {
        // A little noise, so that the test has a variance.
        let noise = 1.0 + (n * 7 % 5) as f64 / 100.0;
        let factor = if n < 20 { 1.0 } else { 1.2 };
        Entry {
            scenario: "average".to_owned(),
            at: format!("run {n}"),
            commit: format!("c{n}"),
            targets: [].into(),
            p50: 5.0,
            p99: 100.0 * factor * noise,
            throughput: 50.0,
            errors: 0,
            steps: [("read".to_owned(), 10.0 * noise), ("place".to_owned(), 100.0 * factor * noise)].into(),
        }
    }

    #[test]
    fn runs_against_another_system_are_no_history_of_this_one() {
        let at =
            |n: usize, url: &str| Entry { targets: [("shop".to_owned(), url.to_owned())].into(), ..entry(n) };
        let (lab, staging) = ("http://127.0.0.1:8001/", "http://staging/");
        let all = vec![at(1, lab), at(2, staging), at(3, staging), at(4, lab)];
        let left: Vec<String> = of_latest_targets(all).into_iter().map(|entry| entry.commit).collect();
        assert_eq!(left, ["c1", "c4"]);
        assert!(of_latest_targets(Vec::new()).is_empty());
    }

    #[test]
    fn a_change_names_its_commits_and_the_step_that_moved() {
        let entries: Vec<Entry> = (0..40).map(entry).collect();
        let values: Vec<f64> = entries.iter().map(|entry| Metric::P99.of(entry)).collect();
        let found = changes(&values, 0.03);
        assert_eq!(found.len(), 1, "{found:?}");
        let said = sentence(&found[0], &entries);
        assert!(
            said.contains("c19..c20") && said.contains("place +20 %") && !said.contains("read"),
            "{said}"
        );
    }
}
