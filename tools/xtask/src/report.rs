//! Parses the output of `cargo test`, and prints the summary of a run.

use std::time::{Duration, Instant};

use crate::steps::clock;

/// How many lines of a failed program's output are repeated.
const LAST_LINES: usize = 80;
/// How many test programs `--timings` lists.
const SLOWEST: usize = 15;

/// Numbers of tests.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    failed: u64,
    skipped: u64,
}

/// One test program.
#[derive(Debug)]
pub(crate) struct Runner {
    /// Cargo's line about it: `Running tests/api/main.rs (target/…)`.
    pub(crate) heading: String,
    /// As cargo names a failed one: `-p order-api --test api`.
    pub(crate) target: Option<String>,
    /// Whether it reported success; a program that died reports nothing.
    pub(crate) passed: bool,
    /// Names of the tests that failed.
    pub(crate) failed: Vec<String>,
    pub(crate) counts: Counts,
    time: Duration,
    lines: Vec<String>,
    /// Inside libtest's list of failures.
    listing: bool,
}

impl Runner {
    fn new(heading: &str) -> Self {
        Self {
            heading: heading.to_owned(),
            target: None,
            passed: false,
            failed: Vec::new(),
            counts: Counts::default(),
            time: Duration::ZERO,
            lines: Vec::new(),
            listing: false,
        }
    }

    /// The end of its output, without the tests that passed.
    pub(crate) fn last_words(&self) -> impl Iterator<Item = &String> {
        self.lines.iter().skip(self.lines.len().saturating_sub(LAST_LINES))
    }

    fn line(&mut self, line: &str) {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.passed = result.starts_with("ok");
            self.counts = counts(result);
        } else if let Some(target) = between(line, "error: test failed, to rerun pass `", "`")
            .or_else(|| between(line, "error: doctest failed, to rerun pass `", "`"))
        {
            self.target = Some(target.to_owned());
        }
        // libtest prints the word twice: the list of names is the last one.
        match line.strip_prefix("    ") {
            _ if line == "failures:" => {
                self.listing = true;
                self.failed.clear();
            }
            Some(name) if self.listing => self.failed.push(name.to_owned()),
            _ => self.listing = false,
        }
        if !line.ends_with(" ... ok") {
            self.lines.push(line.to_owned());
        }
    }
}

/// Parses the output of `cargo test`, line by line.
#[derive(Debug, Default)]
pub(crate) struct Runners {
    done: Vec<Runner>,
    now: Option<(Runner, Instant)>,
}

impl Runners {
    pub(crate) fn line(&mut self, line: &str) {
        let text = line.trim_start();
        let indented = text.len() < line.len();
        if indented && (text.starts_with("Running ") || text.starts_with("Doc-tests ")) {
            self.close();
            self.now = Some((Runner::new(text), Instant::now()));
        } else if line.starts_with("error: ") && line.contains(" failed:") {
            // Cargo's own list of the failed targets belongs to none of them.
            self.close();
        } else if let Some((runner, _)) = &mut self.now {
            runner.line(line);
        }
    }

    pub(crate) fn finish(mut self) -> Vec<Runner> {
        self.close();
        self.done
    }

    fn close(&mut self) {
        if let Some((mut runner, start)) = self.now.take() {
            runner.time = start.elapsed();
            self.done.push(runner);
        }
    }
}

/// The summary of a run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    counts: Counts,
    times: Vec<(Duration, String)>,
    flaky: Vec<String>,
}

impl Report {
    pub(crate) fn add(&mut self, runners: &[Runner]) {
        for runner in runners {
            self.counts.passed += runner.counts.passed;
            self.counts.failed += runner.counts.failed;
            self.counts.skipped += runner.counts.skipped;
            self.times.push((runner.time, runner.heading.clone()));
        }
    }

    /// Records a test that failed and then passed.
    pub(crate) fn flaky(&mut self, name: String) {
        self.flaky.push(name);
    }

    pub(crate) fn print(mut self, timings: bool) {
        if timings {
            self.times.sort_by(|one, other| other.cmp(one));
            println!("\nslowest test programs");
            for (time, heading) in self.times.iter().take(SLOWEST) {
                println!("{:>8}  {heading}", clock(*time));
            }
        }
        let Counts { passed, failed, skipped } = self.counts;
        println!("\n{passed} passed, {failed} failed, {skipped} skipped");
        if !self.flaky.is_empty() {
            println!("FLAKY, failed and then passed on the second try:\n  {}", self.flaky.join("\n  "));
        }
    }
}

/// `ok. 3 passed; 0 failed; 1 ignored; …`
fn counts(result: &str) -> Counts {
    let count = |what: &str| {
        let number = result.split(';').find_map(|part| part.trim().strip_suffix(what));
        number.and_then(|text| text.split_whitespace().last()?.parse().ok()).unwrap_or(0)
    };
    Counts { passed: count(" passed"), failed: count(" failed"), skipped: count(" ignored") }
}

fn between<'a>(line: &'a str, before: &str, after: &str) -> Option<&'a str> {
    line.strip_prefix(before)?.split(after).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Runner> {
        let mut runners = Runners::default();
        text.lines().for_each(|line| runners.line(line));
        runners.finish()
    }

    #[test]
    fn a_failed_test_has_its_name_and_target() {
        let runners = read(
            "     Running tests/api/main.rs (target/debug/deps/api-1)\ntest a::good ... ok\ntest a::bad ... FAILED\n\n\
             failures:\n\n---- a::bad stdout ----\n    a line of its own\n\nfailures:\n    a::bad\n\n\
             test result: FAILED. 1 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out\n\n\
             error: test failed, to rerun pass `-p order-api --test api`\n\
             \x20    Running tests/other.rs (target/debug/deps/other-1)\n\
             test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured\n\
             error: 1 target failed:\n    `-p order-api --test api`\n",
        );
        assert_eq!(runners.len(), 2);
        assert_eq!(runners[0].failed, ["a::bad"]);
        assert_eq!(runners[0].target.as_deref(), Some("-p order-api --test api"));
        assert!(!runners[0].last_words().any(|line| line.contains("a::good")));
        assert_eq!((runners[0].counts.passed, runners[0].counts.skipped), (1, 2));
        assert!(runners[1].passed && runners[1].counts.passed == 4);
    }

    #[test]
    fn a_program_that_died_has_not_passed() {
        let runners = read(
            "     Running unittests src/lib.rs (target/debug/deps/x-1)\ntest a ... ok\n\
             error: test failed, to rerun pass `-p x --lib`\n\nCaused by:\n  process didn't exit successfully: `x` \
             (signal: 6, SIGABRT: process abort signal)\n",
        );
        assert!(!runners[0].passed && runners[0].failed.is_empty());
        assert_eq!(runners[0].target.as_deref(), Some("-p x --lib"));
    }
}
