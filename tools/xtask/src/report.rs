//! What the end of a run says: where the time went, how many tests there were, and the names of those that are not well.

use std::{fmt::Write as _, time::Duration};

use crate::{libtest::Counts, run::Outcome, steps::clock};

/// How many test programs, and how many tests, `--timings` names.
const SLOWEST: usize = 20;

/// All test programs of a run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    counts: Counts,
    programs: Vec<(Duration, String)>,
    tests: Vec<(Duration, String)>,
    flaky: Vec<String>,
    failed: Vec<String>,
    untried: Vec<String>,
}

impl Report {
    pub(crate) fn add(&mut self, outcomes: &[Outcome]) {
        for outcome in outcomes {
            let (name, counts) = (outcome.job.name(), outcome.reading.counts);
            self.counts.passed += counts.passed;
            self.counts.failed += counts.failed;
            self.counts.skipped += counts.skipped;
            let tests = outcome.reading.took().iter();
            self.tests.extend(tests.map(|(time, test)| (*time, format!("{name} {test}"))));
            self.programs.push((outcome.time, name));
        }
    }

    /// Records a test that failed and then passed.
    pub(crate) fn flaky(&mut self, name: String) {
        self.flaky.push(name);
    }

    /// Records a test that failed and was not tried again: too many did.
    pub(crate) fn untried(&mut self, name: String) {
        self.untried.push(name);
    }

    /// Records a test that failed twice.
    pub(crate) fn failed(&mut self, name: String) {
        self.failed.push(name);
    }

    pub(crate) fn has_failures(&self) -> bool {
        !self.failed.is_empty()
    }

    pub(crate) fn print(mut self, timings: bool) {
        if timings {
            print!("{}", table("test programs", &mut self.programs));
            print!("{}", table("tests", &mut self.tests));
        }
        let Counts { passed, failed, skipped } = self.counts;
        println!("\n{passed} passed, {failed} failed, {skipped} skipped");
        print!("{}", self.told());
    }

    /// The tests that are not well, by name.
    pub(crate) fn told(&self) -> String {
        let list = |what: &str, names: &[String]| match names {
            [] => String::new(),
            names => format!("{what}:\n  {}\n", names.join("\n  ")),
        };
        list("FAILED, and with too many others to be tried again", &self.untried)
            + &list("FAILED, twice", &self.failed)
            + &list("FLAKY, failed and passed alone at the second try", &self.flaky)
    }
}

/// The slowest first, and the sum of all.
fn table(what: &str, times: &mut [(Duration, String)]) -> String {
    times.sort_by(|one, other| other.cmp(one));
    let mut text = format!("\nslowest of {} {what}\n", times.len());
    for (time, name) in times.iter().take(SLOWEST) {
        let _ = writeln!(text, "{:>8}  {name}", clock(*time));
    }
    let sum = times.iter().map(|(time, _)| *time).sum();
    let _ = writeln!(text, "{:>8}  sum of all, side by side as they are", clock(sum));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_come_first_and_the_sum_has_all() {
        let mut times: Vec<_> =
            (1..=30).map(|seconds| (Duration::from_secs(seconds), format!("test {seconds}"))).collect();
        let table = table("tests", &mut times);
        let lines: Vec<_> = table.trim().lines().collect();
        assert_eq!(lines[0], "slowest of 30 tests");
        assert_eq!(lines[1].trim(), "0:30  test 30");
        assert_eq!(lines.len(), 1 + SLOWEST + 1);
        assert!(lines[SLOWEST + 1].contains("7:45"), "{}", lines[SLOWEST + 1]);
    }
}
