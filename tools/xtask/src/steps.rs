//! The steps of a run, each with its time, and a table at the end.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Passed,
    Failed,
    /// Not run, because a step that it needs has failed.
    Left,
}

/// What has run so far.
#[derive(Debug, Clone)]
pub(crate) struct Steps {
    began: Instant,
    done: Vec<Step>,
    /// Whether other steps run meanwhile.
    beside: bool,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    name: &'static str,
    end: End,
    time: Duration,
    /// Whether other steps ran meanwhile: then the times do not add up to that of the run.
    beside: bool,
}

impl Steps {
    pub(crate) fn begin() -> Self {
        Self { began: Instant::now(), done: Vec::new(), beside: false }
    }

    /// Runs a step, unless one that it needs has failed.
    pub(crate) fn step(&mut self, name: &'static str, needs: &[&str], run: impl FnOnce() -> Result<()>) {
        let lacks = |done: &Step| done.end != End::Passed && needs.contains(&done.name);
        let (end, time) =
            if self.done.iter().any(lacks) { (End::Left, Duration::ZERO) } else { measured(name, run) };
        self.done.push(Step { name, end, time, beside: self.beside });
    }

    /// Runs two rows of steps at the same time. Each row knows how everything before both has ended, and nothing of the
    /// other row.
    pub(crate) fn side_by_side(
        &mut self,
        one: impl FnOnce(&mut Self) + Send,
        other: impl FnOnce(&mut Self) + Send,
    ) {
        let before = self.done.len();
        let mut rows = [self.clone(), self.clone()];
        rows.iter_mut().for_each(|row| row.beside = true);
        let [first, second] = &mut rows;
        thread::scope(|scope| {
            scope.spawn(|| one(first));
            other(second);
        });
        self.done.extend(rows.iter().flat_map(|row| &row.done[before..]));
    }

    /// Prints the table; returns whether all steps passed.
    pub(crate) fn finish(&self) -> bool {
        println!("\n{:<26} {:>8}", "step", "time");
        self.done.iter().for_each(|step| println!("{}", step.row()));
        println!("{:<26} {:>8}", "from start to end", clock(self.began.elapsed()));
        self.done.iter().all(|step| step.end == End::Passed)
    }
}

impl Step {
    /// Its line of the table.
    fn row(&self) -> String {
        let end = match self.end {
            End::Passed => "",
            End::Failed => "  FAILED",
            End::Left => "  not run: a step that it needs has failed",
        };
        let beside = if self.beside && self.end != End::Left { "  beside others" } else { "" };
        format!("{:<26} {:>8}{end}{beside}", self.name, clock(self.time))
    }
}

/// How a step ended, and its time.
fn measured(name: &'static str, run: impl FnOnce() -> Result<()>) -> (End, Duration) {
    println!("\n=== {name}");
    let start = Instant::now();
    let end = match run() {
        Ok(()) => End::Passed,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            End::Failed
        }
    };
    (end, start.elapsed())
}

/// `3:07`, minutes and seconds.
pub(crate) fn clock(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Longest wait for the other row.
    const PATIENCE: Duration = Duration::from_secs(20);

    #[test]
    fn a_failed_step_stops_only_those_that_need_it() {
        let mut ran = Vec::new();
        let mut steps = Steps::begin();
        steps.step("build", &[], || anyhow::bail!("no"));
        steps.step("tests", &["build"], || {
            ran.push("tests");
            Ok(())
        });
        steps.step("torture", &["tests"], || {
            ran.push("torture");
            Ok(())
        });
        steps.step("format", &[], || {
            ran.push("format");
            Ok(())
        });
        assert!(!steps.finish());
        assert_eq!(ran, ["format"]);
    }

    #[test]
    fn two_rows_run_at_the_same_time_and_both_know_what_failed_before() {
        let mut steps = Steps::begin();
        steps.step("build", &[], || Ok(()));
        steps.step("docs", &[], || anyhow::bail!("no"));
        // Each waits for the other: one after the other, the first would wait forever.
        let (to_other, from_one) = mpsc::channel();
        let (to_one, from_other) = mpsc::channel();
        steps.side_by_side(
            move |steps| {
                steps.step("torture", &["build"], || {
                    to_other.send(())?;
                    Ok(from_other.recv_timeout(PATIENCE)?)
                });
            },
            move |steps| {
                steps.step("rules", &["docs"], || anyhow::bail!("it runs without what it needs"));
                steps.step("terraform", &["build", "torture"], || {
                    to_one.send(())?;
                    Ok(from_one.recv_timeout(PATIENCE)?)
                });
            },
        );
        steps.step("last", &["rules"], || Ok(()));
        let ends: Vec<_> = steps.done.iter().map(|step| (step.name, step.end, step.beside)).collect();
        let expected = [
            ("build", End::Passed, false),
            ("docs", End::Failed, false),
            ("torture", End::Passed, true),
            ("rules", End::Left, true),
            ("terraform", End::Passed, true),
            ("last", End::Left, false),
        ];
        assert_eq!(ends, expected);
        assert!(steps.done[2].row().ends_with("  beside others"), "{}", steps.done[2].row());
        assert!(!steps.finish());
    }

    #[test]
    fn times_are_minutes_and_seconds() {
        assert_eq!(clock(Duration::from_secs(187)), "3:07");
    }
}
