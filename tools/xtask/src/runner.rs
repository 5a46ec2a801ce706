//! The tests of the workspace: lanes of programs side by side, those that measure alone, and a second try for what
//! failed.
//!
//! A test that fails is tried once more, alone, when everything else has run; so is a program that died by a signal or hung,
//! whose tests cannot all be known. What passes then is named at the end of the run: a defect to find, not a success to trust.

use std::{collections::VecDeque, iter, sync::Mutex, thread};

use anyhow::{Result, anyhow, bail};

use crate::{
    lanes::Lanes,
    libtest::End,
    part::Long,
    programs::Program,
    report::Report,
    run::{Job, Outcome},
    steps::clock,
};

/// More failures than this mean a broken change, not bad luck: they are not repeated.
const TRIED_AGAIN: usize = 5;

/// Tests at a time of a program for which a lane of labs has time: others of these run beside it.
const HELPING: usize = 2;

/// Runs these programs; without a choice of long tests, those that are quick.
pub(crate) fn run(programs: Vec<Program>, long: Option<Long>, report: &mut Report) -> Result<()> {
    let Lanes { labs, others, alone } = Lanes::of(programs, long);
    let mut outcomes = side_by_side(labs, others)?;
    outcomes.extend(run_lane(alone)?);
    report.add(&outcomes);
    second_try(outcomes, report)
}

/// Two lanes of labs and one of everything else. When its labs have run, a lane helps with the rest, at fewer tests at
/// a time.
fn side_by_side([working, waiting]: [Vec<Job>; 2], others: Vec<Job>) -> Result<Vec<Outcome>> {
    let queue = Mutex::new(VecDeque::from(others));
    let next = || queue.lock().ok().and_then(|mut jobs| jobs.pop_front());
    let helping = || next().map(|job| Job { threads: HELPING, ..job });
    let outcomes: Vec<Vec<Outcome>> = thread::scope(|scope| {
        let lanes = [
            scope.spawn(|| run_lane(working.into_iter().chain(iter::from_fn(helping)))),
            scope.spawn(|| run_lane(waiting.into_iter().chain(iter::from_fn(helping)))),
            scope.spawn(|| run_lane(iter::from_fn(next))),
        ];
        let ends = lanes.into_iter().map(|lane| lane.join().map_err(|_| anyhow!("a lane panicked"))?);
        ends.collect::<Result<_>>()
    })?;
    Ok(outcomes.into_iter().flatten().collect())
}

fn run_lane(lane: impl IntoIterator<Item = Job>) -> Result<Vec<Outcome>> {
    let run = |job: Job| -> Result<Outcome> {
        let outcome = job.run()?;
        show(&outcome);
        Ok(outcome)
    };
    lane.into_iter().map(run).collect()
}

/// One line, and all that matters when it is not well.
fn show(outcome: &Outcome) {
    let (name, time) = (outcome.job.name(), clock(outcome.time));
    let running = || outcome.reading.running().join(", ");
    let how = match outcome.end {
        End::Passed => format!("{} passed", outcome.reading.counts.passed),
        End::Failed => format!("{} FAILED", outcome.reading.failed.len()),
        End::Died(signal) => format!("DIED by signal {signal} while running {}", running()),
        End::Hung => format!("HUNG while running {}", running()),
        End::Left(code) => format!("ENDED with {code} while running {}", running()),
    };
    let words = match outcome.end {
        End::Passed => String::new(),
        _ => outcome.reading.last_words().map(|line| format!("\n    {line}")).collect(),
    };
    // In one piece: the other lanes print too.
    println!("{time:>8}  {name}: {how}{words}");
}

fn second_try(outcomes: Vec<Outcome>, report: &mut Report) -> Result<()> {
    let failed: Vec<Outcome> = outcomes.into_iter().filter(|outcome| outcome.end != End::Passed).collect();
    let tries: usize = failed.iter().map(|outcome| outcome.reading.failed.len().max(1)).sum();
    if tries > TRIED_AGAIN {
        failed.iter().flat_map(names).for_each(|name| report.untried(name));
        bail!("{tries} tests failed, too many to try again");
    }
    for outcome in &failed {
        try_again(outcome, report)?;
    }
    if report.has_failures() {
        bail!("tests failed, and failed again alone");
    }
    Ok(())
}

/// What is told of a program that failed: its tests that did, or the program and what it was running.
fn names(outcome: &Outcome) -> Vec<String> {
    let name = outcome.job.name();
    match outcome.end {
        End::Failed => outcome.reading.failed.iter().map(|test| format!("{name} {test}")).collect(),
        _ => {
            vec![format!("{name} ({:?} while running {})", outcome.end, outcome.reading.running().join(", "))]
        }
    }
}

/// Runs the failed tests of a program once more, each alone, or the whole program when it died.
fn try_again(outcome: &Outcome, report: &mut Report) -> Result<()> {
    let names = names(outcome);
    let tries: Vec<Option<&str>> = match outcome.end {
        End::Failed => outcome.reading.failed.iter().map(|test| Some(test.as_str())).collect(),
        _ => vec![None],
    };
    for (name, test) in names.into_iter().zip(tries) {
        println!("\n--- once more: {name}");
        let job = outcome.job.clone();
        let again = match test {
            Some(test) => job.run_one(test)?,
            None => job.run()?,
        };
        show(&again);
        // A name that matches no test proves nothing.
        if again.end == End::Passed && again.reading.counts.passed > 0 {
            report.flaky(name);
        } else {
            report.failed(name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A test program of shell: it fails the tests `a` and `b`; alone, `a` passes. `dies` ends it by a signal at its first run.
    fn script(folder: &std::path::Path, dies: bool) -> Job {
        let (draft, path) = (folder.join("draft"), folder.join("tests"));
        let once = "[ -e died ] || { touch died; kill -9 $$; }\necho 'test result: ok. 2 passed'; exit 0";
        let die = if dies { once } else { "" };
        let text = format!(
            "#!/bin/sh\ncase \"$*\" in\n*--list*) echo 'a: test'; echo 'b: test'; exit 0 ;;\n\
             *'--exact a'*) echo 'test result: ok. 1 passed'; exit 0 ;;\n\
             *--exact*) echo 'test result: FAILED. 0 passed; 1 failed'; exit 101 ;;\nesac\n{die}\n\
             printf 'failures:\\n    a\\n    b\\n\\ntest result: FAILED. 0 passed; 2 failed\\n'; exit 101\n"
        );
        std::fs::write(&draft, text).unwrap();
        // A program that is open for writing cannot be started, and what this process writes may be open in another test's child.
        // So another process writes it.
        let mut install = std::process::Command::new("install");
        assert!(install.args(["-m", "755"]).args([&draft, &path]).status().unwrap().success());
        Job::new(Program { target: "-p x --test y".to_owned(), path, folder: folder.to_owned() }, 2)
    }

    fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        folder
    }

    #[test]
    fn what_fails_and_then_passes_alone_is_flaky_and_what_fails_twice_has_failed() {
        let folder = folder("fails");
        let outcome = script(&folder, false).run().unwrap();
        assert_eq!(outcome.end, End::Failed);
        let mut report = Report::default();
        assert!(second_try(vec![outcome], &mut report).is_err());
        assert_eq!(
            report.told(),
            "FAILED, twice:\n  -p x --test y b\nFLAKY, failed and passed alone at the second try:\n  -p x --test y a\n"
        );
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_program_that_died_runs_again_as_a_whole_and_says_what_it_was_running() {
        let folder = folder("dies");
        let outcome = script(&folder, true).run().unwrap();
        assert_eq!(outcome.end, End::Died(9));
        let mut report = Report::default();
        second_try(vec![outcome], &mut report).unwrap();
        assert!(report.told().contains("-p x --test y (Died(9) while running a, b)"), "{}", report.told());
        std::fs::remove_dir_all(folder).unwrap();
    }
}
