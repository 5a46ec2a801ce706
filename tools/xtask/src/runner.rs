//! The tests of the workspace: two lanes of programs side by side, those that measure alone, and a second try for what
//! failed.
//!
//! A test that fails is tried once more, alone, when everything else has run; so is a program that died by a signal or hung,
//! whose tests cannot all be known. What passes then is named at the end of the run: a defect to find, not a success to trust.

use std::{collections::VecDeque, iter, num::NonZero, sync::Mutex, thread};

use anyhow::{Result, anyhow, bail};

use crate::{
    libtest::End,
    part::{self, Long},
    programs::Program,
    report::Report,
    run::{Job, Outcome},
    steps::clock,
};

/// More failures than this mean a broken change, not bad luck: they are not repeated.
const TRIED_AGAIN: usize = 5;

/// Starts whole labs, one at a time; they wait most of their time: for alerts, for their end, for parts that come back.
const LABS: &str = "-p cli --test e2e";
/// Of them, those that measure how soon something comes: they run alone, when everything else has, one part of them a day or all.
const MEASURING: [&[&str]; part::PARTS] = [
    &["slo::", "pages::"],
    &["incidents::a_fault", "drills::", "backup::a_wiped"],
    &["incidents::killed", "runbooks::", "whole::a_lab", "releases::a_bad"],
];
/// Compares a measured time with arithmetic: it runs alone too.
const TIMED: (&str, &[&str]) =
    ("-p load --test scenario", &["a_stall_of_two_seconds_has_the_p99_of_arithmetic"]);
/// Measures what a server can do: it runs alone too.
const KNEE: &str = "-p load --test capacity";
/// Takes minutes: it begins first, so that at the end no lane waits long for the other.
const LONG: &str = "-p order-api --test api";
/// Looks at every page as a browser draws it: a second core that is busy makes it slow, and what it measures wrong.
const BROWSER: &str = "-p browser --test pages";
/// Browsers at once.
const BROWSERS: usize = 2;
/// How much everything else yields to the labs beside it.
const NICE: u8 = 10;
/// Tests at a time of a program that runs beside another one, and beside no lab.
const HELPING: usize = 2;

/// Runs the pipeline's tests, which run once more on a durable log and a real coordinator, with a broker that is killed.
const PIPELINE: (&str, &[&str]) = ("-p pipeline --test flow", &["orders::"]);

/// Runs these programs; without a choice of long tests, those that are quick.
pub(crate) fn run(programs: Vec<Program>, long: Option<Long>, report: &mut Report) -> Result<()> {
    let ([labs, others], measuring) = lanes(programs, long);
    let queue = Mutex::new(VecDeque::from(others));
    let next = || queue.lock().ok().and_then(|mut jobs| jobs.pop_front());
    // When the labs have run, their lane helps with the rest, at fewer tests at a time: then two programs run side by side.
    let helping = || next().map(|job| Job { threads: HELPING, ..job });
    let mut outcomes: Vec<Outcome> = thread::scope(|scope| {
        let lanes = [
            scope.spawn(|| run_lane(labs.into_iter().chain(iter::from_fn(helping)))),
            scope.spawn(|| run_lane(iter::from_fn(next))),
        ];
        let ends = lanes.into_iter().map(|lane| lane.join().map_err(|_| anyhow!("a lane panicked"))?);
        ends.collect::<Result<Vec<_>>>()
    })?
    .into_iter()
    .flatten()
    .collect();
    outcomes.extend(run_lane(measuring)?);
    report.add(&outcomes);
    second_try(outcomes, report)
}

/// Labs and everything else, side by side; and the labs that measure. A whole suite runs some programs twice.
fn lanes(programs: Vec<Program>, long: Option<Long>) -> ([Vec<Job>; 2], Vec<Job>) {
    // Tests wait for answers of servers more than they work.
    let threads = 1 + thread::available_parallelism().map_or(2, NonZero::get);
    let pipeline = programs.iter().find(|program| long.is_some() && program.target == PIPELINE.0).cloned();
    let on_apache_kafka = pipeline.map(|program| Job {
        only: PIPELINE.1.to_vec(),
        variable: Some(("TEST_KAFKA", "apache")),
        ..Job::new(program, threads)
    });
    let (browser, programs): (Vec<_>, Vec<_>) =
        programs.into_iter().partition(|program| program.target == BROWSER);
    let (knee, programs): (Vec<_>, Vec<_>) = programs.into_iter().partition(|program| program.target == KNEE);
    let (labs, others): (Vec<_>, Vec<_>) = programs.into_iter().partition(|program| program.target == LABS);
    let labs = |only: &[&'static str]| {
        let job = |program: &Program| Job { only: only.to_vec(), ..Job::new(program.clone(), 1) };
        labs.iter().map(job).collect::<Vec<_>>()
    };
    let timed = others.iter().find(|program| program.target == TIMED.0).cloned();
    let timed = timed.map(|program| Job { only: TIMED.1.to_vec(), ..Job::new(program, 1) });
    let others = others.into_iter().map(|program| {
        let only = if program.target == TIMED.0 { without(TIMED.1) } else { Vec::new() };
        Job { only, ..Job::new(program, threads) }
    });
    let mut others: Vec<_> =
        on_apache_kafka.into_iter().chain(others).map(|job| Job { nice: NICE, ..job }).collect();
    others.sort_by_key(|job| job.program.target != LONG);
    let knee = knee.into_iter().map(|program| Job::new(program, 1));
    let alone = browser.into_iter().map(|program| Job::new(program, BROWSERS)).chain(knee);
    let todays: Vec<_> = long.map_or_else(Vec::new, |long| long.of(&MEASURING).concat());
    let measuring = labs(&todays).into_iter().chain(timed).chain(alone);
    ([labs(&without(&MEASURING.concat())), others], measuring.collect())
}

/// All tests but these, in libtest's words.
fn without(words: &[&'static str]) -> Vec<&'static str> {
    words.iter().flat_map(|&word| ["--skip", word]).collect()
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
    // In one piece: the other lane prints too.
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

    fn program(target: &str) -> Program {
        Program { target: target.to_owned(), path: "/t".into(), folder: "/w".into() }
    }

    #[test]
    fn labs_have_a_lane_and_the_pipeline_runs_twice() {
        let programs =
            ["-p order-api --lib", PIPELINE.0, TIMED.0, LONG, BROWSER, KNEE, LABS].map(program).to_vec();
        let names = |lanes: &[Vec<Job>]| -> Vec<Vec<String>> {
            lanes.iter().map(|lane| lane.iter().map(Job::name).collect()).collect()
        };
        let (all, alone) = lanes(programs.clone(), Some(Long::All));
        let measuring = format!("{LABS} {}", MEASURING.concat().join(" "));
        let not = format!("{LABS} --skip {}", MEASURING.concat().join(" --skip "));
        let twice = format!("TEST_KAFKA=apache {} orders::", PIPELINE.0);
        let [timed, others_of_it] =
            ["", "--skip "].map(|skip| format!("{} {skip}{}", TIMED.0, TIMED.1.join(" ")));
        let others =
            [LONG, &twice, "-p order-api --lib", PIPELINE.0, &others_of_it].map(str::to_owned).to_vec();
        assert_eq!(names(&all), [vec![not], others]);
        assert_eq!(names(&[alone]), [vec![measuring, timed, BROWSER.to_owned(), KNEE.to_owned()]]);
        assert_eq!(all[0][0].threads, 1, "one lab at a time");
        assert!(all[0][0].nice < all[1][0].nice);
        let (_, alone) = lanes(programs.clone(), Some(Long::Part(1)));
        assert_eq!(
            alone[0].name(),
            format!("{LABS} {}", MEASURING[1].join(" ")),
            "a part of those that measure"
        );
        assert_eq!(lanes(programs, None).0[1].len(), 4);
    }

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
