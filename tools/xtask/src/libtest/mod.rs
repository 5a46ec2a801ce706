//! What a test program prints, line by line: which tests failed, which were running when it died, how long each took.

mod words;

use std::{
    collections::{BTreeMap, VecDeque},
    process::ExitStatus,
    time::Duration,
};

use self::words::Words;

/// Tests counted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

/// How a test program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Passed,
    /// Tests failed, and it says which.
    Failed,
    /// A signal ended it, and with it every test that was running or had its turn to come.
    Died(i32),
    /// It said nothing for too long, and was ended.
    Hung,
    /// It ended itself before its tests did.
    Left(i32),
}

impl End {
    /// `None`: it hung.
    pub(crate) fn of(status: Option<ExitStatus>, failed: &[String]) -> Self {
        use std::os::unix::process::ExitStatusExt as _;
        match status {
            None => Self::Hung,
            Some(status) if status.success() => Self::Passed,
            Some(status) => match status.signal() {
                Some(signal) => Self::Died(signal),
                None if failed.is_empty() => Self::Left(status.code().unwrap_or_default()),
                None => Self::Failed,
            },
        }
    }
}

/// The output of one program, as far as it was read.
#[derive(Debug)]
pub(crate) struct Reading {
    clock: Clock,
    pub(crate) counts: Counts,
    /// Names of the tests that failed.
    pub(crate) failed: Vec<String>,
    words: Words,
    /// Inside libtest's list of failures.
    listing: bool,
}

impl Reading {
    /// Of a program that runs these tests in this order, `threads` at a time.
    pub(crate) fn new(tests: Vec<String>, threads: usize) -> Self {
        let clock = Clock::new(tests, threads);
        let (counts, failed) = (Counts::default(), Vec::new());
        Self { clock, counts, failed, words: Words::default(), listing: false }
    }

    /// Takes a line that came `at` this time after the start.
    pub(crate) fn line(&mut self, line: &str, at: Duration) {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.counts = counts(result);
        } else if let Some(test) = finished(line) {
            self.clock.finished(test, at);
        } else if ["ok", "FAILED"].contains(&line) {
            // With one thread, the line of a test begins before it runs; what the test says itself cuts it in two.
            self.clock.finished_alone(at);
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
            self.words.take(line);
        }
    }

    /// The tests that have begun and not ended.
    pub(crate) fn running(&self) -> Vec<&str> {
        self.clock.running.keys().map(String::as_str).collect()
    }

    /// What each test took that has ended.
    pub(crate) fn took(&self) -> &[(Duration, String)] {
        &self.clock.took
    }

    /// The end of what it printed and the beginnings of its panics, without the tests that passed.
    pub(crate) fn last_words(&self) -> impl Iterator<Item = String> {
        self.words.told().into_iter()
    }
}

/// When each test began. libtest does not say: it starts tests in the order of its list, the next one when one has ended.
#[derive(Debug)]
struct Clock {
    threads: usize,
    waiting: VecDeque<String>,
    running: BTreeMap<String, Duration>,
    took: Vec<(Duration, String)>,
}

impl Clock {
    fn new(tests: Vec<String>, threads: usize) -> Self {
        let (running, took) = (BTreeMap::new(), Vec::new());
        let mut clock = Self { threads, waiting: tests.into(), running, took };
        clock.begin(Duration::ZERO);
        clock
    }

    fn begin(&mut self, at: Duration) {
        while self.running.len() < self.threads
            && let Some(next) = self.waiting.pop_front()
        {
            self.running.insert(next, at);
        }
    }

    fn finished(&mut self, test: &str, at: Duration) {
        if let Some(began) = self.running.remove(test) {
            self.took.push((at.saturating_sub(began), test.to_owned()));
        }
        self.begin(at);
    }

    fn finished_alone(&mut self, at: Duration) {
        if self.threads == 1
            && let Some(test) = self.running.keys().next().cloned()
        {
            self.finished(&test, at);
        }
    }
}

/// The test of a line `test name ... ok`.
fn finished(line: &str) -> Option<&str> {
    let (name, result) = line.strip_prefix("test ")?.split_once(" ... ")?;
    let ended = ["ok", "FAILED", "ignored"].iter().any(|word| result.starts_with(word));
    ended.then(|| name.strip_suffix(" - should panic").unwrap_or(name))
}

/// `ok. 3 passed; 0 failed; 1 ignored; …`
fn counts(result: &str) -> Counts {
    let count = |what: &str| {
        let number = result.split(';').find_map(|part| part.trim().strip_suffix(what));
        number.and_then(|text| text.split_whitespace().last()?.parse().ok()).unwrap_or(0)
    };
    Counts { passed: count(" passed"), failed: count(" failed"), skipped: count(" ignored") }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn read(tests: &[&str], threads: usize, text: &str) -> Reading {
        let mut reading = Reading::new(tests.iter().map(|&test| test.to_owned()).collect(), threads);
        for (line, second) in text.lines().zip(1..) {
            reading.line(line, SECOND * second);
        }
        reading
    }

    #[test]
    fn a_failed_test_is_known_by_its_name() {
        let reading = read(
            &["a::bad", "a::good"],
            2,
            "test a::good ... ok\ntest a::bad ... FAILED\n\n\
             failures:\n\n---- a::bad stdout ----\n    a line of its own\n\nfailures:\n    a::bad\n\n\
             test result: FAILED. 1 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out\n",
        );
        assert_eq!(reading.failed, ["a::bad"]);
        assert_eq!(reading.counts, Counts { passed: 1, failed: 1, skipped: 2 });
        assert!(!reading.last_words().any(|line| line.contains("a::good")));
        assert_eq!(End::of(Some(ExitStatus::from_raw(101 << 8)), &reading.failed), End::Failed);
    }

    #[test]
    fn only_a_signal_is_a_death_and_the_tests_that_were_running_are_known() {
        let reading = read(&["a", "b", "c", "d"], 2, "test b ... ok\ntest a ... ok\n");
        assert_eq!(reading.running(), ["c", "d"]);
        assert_eq!(End::of(Some(ExitStatus::from_raw(6)), &reading.failed), End::Died(6));
        assert_eq!(End::of(Some(ExitStatus::from_raw(3 << 8)), &reading.failed), End::Left(3));
        assert_eq!(End::of(None, &reading.failed), End::Hung);
        assert_eq!(End::of(Some(ExitStatus::from_raw(0)), &reading.failed), End::Passed);
    }

    #[test]
    fn a_test_begins_when_a_thread_is_free() {
        let reading = read(
            &["a", "b", "c", "d"],
            2,
            "running 4 tests\ntest b ... ok\ntest c - should panic ... ok\ntest d ... ignored, not now\ntest a ... ok",
        );
        let took = reading.took().iter().map(|(time, test)| (test.as_str(), time.as_secs()));
        assert_eq!(took.collect::<Vec<_>>(), [("b", 2), ("c", 1), ("d", 1), ("a", 5)]);
    }

    #[test]
    fn with_one_thread_a_line_may_be_cut_in_two() {
        let reading = read(&["a", "b"], 1, "test a ... SKIPPED: a needs Redis\nok\ntest b ... ok\n");
        let took = reading.took().iter().map(|(time, test)| (test.as_str(), time.as_secs()));
        assert_eq!(took.collect::<Vec<_>>(), [("a", 2), ("b", 1)]);
    }
}
