//! The steps of a run, each with its time, and a table at the end.

use std::time::{Duration, Instant};

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
#[derive(Debug)]
pub(crate) struct Steps {
    began: Instant,
    done: Vec<Step>,
}

type Step = (&'static str, End, Duration);

impl Steps {
    pub(crate) fn begin() -> Self {
        Self { began: Instant::now(), done: Vec::new() }
    }

    /// Runs a step, unless one that it needs has failed.
    pub(crate) fn step(&mut self, name: &'static str, needs: &[&str], run: impl FnOnce() -> Result<()>) {
        if self.done.iter().any(|(done, end, _)| *end != End::Passed && needs.contains(done)) {
            self.done.push((name, End::Left, Duration::ZERO));
            return;
        }
        self.done.push(measured(name, run));
    }

    /// Prints the table; returns whether all steps passed.
    pub(crate) fn finish(&self) -> bool {
        println!("\n{:<26} {:>8}", "step", "time");
        for (name, end, time) in &self.done {
            let end = match end {
                End::Passed => "",
                End::Failed => "  FAILED",
                End::Left => "  not run: a step that it needs has failed",
            };
            println!("{name:<26} {:>8}{end}", clock(*time));
        }
        println!("{:<26} {:>8}", "from start to end", clock(self.began.elapsed()));
        self.done.iter().all(|(_, end, _)| *end == End::Passed)
    }
}

fn measured(name: &'static str, run: impl FnOnce() -> Result<()>) -> Step {
    println!("\n=== {name}");
    let start = Instant::now();
    let end = match run() {
        Ok(()) => End::Passed,
        Err(error) => {
            eprintln!("{name}: {error:#}");
            End::Failed
        }
    };
    (name, end, start.elapsed())
}

/// `3:07`, minutes and seconds.
pub(crate) fn clock(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn times_are_minutes_and_seconds() {
        assert_eq!(clock(Duration::from_secs(187)), "3:07");
    }
}
