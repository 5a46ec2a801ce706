//! Which test programs run side by side, and which alone, when everything else has run.
//!
//! Two cores run three programs at a time: a lab that works, a lab that mostly waits, and one of all others, which
//! yields to both. A test runs alone only if it measures something that another lab would change.

use std::{num::NonZero, thread};

use crate::{
    apache,
    part::{self, Long},
    programs::Program,
    run::Job,
};

/// Starts whole labs; they wait most of their time: for alerts, for their end, for parts that come back.
const LABS: &str = "-p cli --test e2e";
/// Of them, those that measure how soon something comes, or that attack the lab, which would cost another lab its
/// core: they run alone. A run has the part of its day, or all parts, which take about the same time.
const MEASURING: [&[&str]; part::PARTS] = [
    &["slo::a_page", "whole::a_lab", "rolling::"],
    &["slo::each_failure", "pages::", "incidents::killed"],
    &["drills::a_drill", "backup::a_wiped", "silence::"],
    &["drills::a_kill", "incidents::a_fault", "attack::"],
    &["runbooks::", "releases::a_bad"],
];
/// Of the others, the modules whose labs have little load or none: they wait, for a start, an end, an alert. The rest
/// keeps a core busy: Java, two instances of everything, every fault in turn. Two of these would leave no core.
const WAITING: [&str; 15] = [
    "actions::",
    "backup::",
    "chaos::",
    "cloud::",
    "gitops::",
    "gitops_cluster::",
    "incidents::",
    "releases::",
    "secrets::",
    "slo::",
    "strangers::",
    "terminal::",
    "trouble::",
    "waf::",
    "whole::",
];
/// What the three choices are called in a report.
const CALLED: [&str; 3] = ["labs that work", "labs that wait", "labs that measure"];

/// Compares a measured time with arithmetic: it runs alone too.
const TIMED: (&str, &[&str]) =
    ("-p load --test scenario", &["a_stall_of_two_seconds_has_the_p99_of_arithmetic"]);
/// Measures what a server can do: it runs alone too.
const KNEE: &str = "-p load --test capacity";
/// Its tests at once: the server of each is arithmetic and a timer, so the two need a fraction of a core.
const KNEES: usize = 2;
/// They take minutes: they begin first, so that at the end no lane waits long for another one.
const LONG: [&str; 3] = ["-p order-api --test api", "-p order-worker --test api", "-p slo --test suite"];
/// Looks at every page as a browser draws it: a second core that is busy makes it slow, and what it measures wrong.
const BROWSER: &str = "-p browser --test pages";
/// Browsers at once.
const BROWSERS: usize = 2;
/// How much everything else yields to the labs beside it.
const NICE: u8 = 10;

/// What a run consists of.
#[derive(Debug)]
pub(crate) struct Lanes {
    /// Labs, in two lanes of one lab at a time.
    pub(crate) labs: [Vec<Job>; 2],
    /// Everything else that runs side by side with them.
    pub(crate) others: Vec<Job>,
    /// What runs alone, in this order, when all those have ended.
    pub(crate) alone: Vec<Job>,
}

impl Lanes {
    /// Of these programs; without a choice of long tests, of those that are quick. A whole suite runs some programs
    /// twice.
    pub(crate) fn of(programs: Vec<Program>, long: Option<Long>) -> Self {
        // Tests wait for answers of servers more than they work.
        let threads = 1 + thread::available_parallelism().map_or(2, NonZero::get);
        let (labs, programs) = split(programs, LABS);
        let (browser, programs) = split(programs, BROWSER);
        let (knee, programs) = split(programs, KNEE);
        let todays: Vec<_> = long.map_or_else(Vec::new, |long| long.of(&MEASURING).concat());
        let timed = programs.iter().find(|program| program.target == TIMED.0).cloned();
        let timed = timed.map(|program| Job { only: TIMED.1.to_vec(), ..Job::new(program, 1) });
        let browser = browser.into_iter().map(|program| Job::new(program, BROWSERS));
        let knee = knee.into_iter().map(|program| Job::new(program, KNEES));
        let measuring = chosen(&labs, CALLED[2], &todays);
        Self {
            labs: [chosen(&labs, CALLED[0], &working()), chosen(&labs, CALLED[1], &waiting())],
            others: others(programs, threads, long),
            alone: measuring.into_iter().chain(timed).chain(browser).chain(knee).collect(),
        }
    }
}

/// The program with this target, if it is there, and the others.
fn split(programs: Vec<Program>, target: &str) -> (Vec<Program>, Vec<Program>) {
    programs.into_iter().partition(|program| program.target == target)
}

/// These tests of the labs, one lab at a time.
fn chosen(labs: &[Program], called: &'static str, only: &[&'static str]) -> Vec<Job> {
    // No words would choose all tests.
    let labs = labs.iter().filter(|_| !only.is_empty());
    let job =
        |program: &Program| Job { only: only.to_vec(), called: Some(called), ..Job::new(program.clone(), 1) };
    labs.map(job).collect()
}

/// Labs that work: all that are not named, so that a new module needs no word here.
fn working() -> Vec<&'static str> {
    without(&[MEASURING.concat().as_slice(), WAITING.as_slice()].concat())
}

fn waiting() -> Vec<&'static str> {
    [WAITING.as_slice(), without(&MEASURING.concat()).as_slice()].concat()
}

/// All tests but these, in libtest's words.
fn without(words: &[&'static str]) -> Vec<&'static str> {
    words.iter().flat_map(|&word| ["--skip", word]).collect()
}

/// What is no lab and measures nothing; the longest first.
fn others(programs: Vec<Program>, threads: usize, long: Option<Long>) -> Vec<Job> {
    let on_apache_kafka = long.map_or_else(Vec::new, |long| apache::jobs(&programs, long, threads));
    let jobs = programs.into_iter().map(|program| {
        let only = if program.target == TIMED.0 { without(TIMED.1) } else { Vec::new() };
        Job { only, ..Job::new(program, threads) }
    });
    let mut jobs: Vec<_> =
        on_apache_kafka.into_iter().chain(jobs).map(|job| Job { nice: NICE, ..job }).collect();
    jobs.sort_by_key(|job| {
        let whole = job.variable.is_none();
        LONG.iter().position(|target| whole && job.program.target == *target).unwrap_or(LONG.len())
    });
    jobs
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    fn program(target: &str) -> Program {
        Program { target: target.to_owned(), path: "/t".into(), folder: "/w".into() }
    }

    fn programs() -> Vec<Program> {
        let targets =
            [apache::PIPELINE, "-p order-api --lib", TIMED.0, LONG[1], LONG[0], BROWSER, KNEE, LABS];
        targets.map(program).to_vec()
    }

    fn names(jobs: &[Job]) -> Vec<String> {
        jobs.iter().map(Job::name).collect()
    }

    /// The names of the tests that libtest runs for these words.
    fn runs<'t>(only: &[&str], tests: &'t [String]) -> BTreeSet<&'t str> {
        let (mut wanted, mut skipped) = (Vec::new(), Vec::new());
        let mut words = only.iter();
        while let Some(&word) = words.next() {
            match word {
                "--skip" => skipped.extend(words.next().copied()),
                word => wanted.push(word),
            }
        }
        let has = |test: &str, words: &[&str]| words.iter().any(|&word| test.contains(word));
        let chosen = |test: &&str| (wanted.is_empty() || has(test, &wanted)) && !has(test, &skipped);
        tests.iter().map(String::as_str).filter(chosen).collect()
    }

    /// The tests of whole labs, as the sources declare them: `whole::errors_say_what_would_be_right`.
    fn tests_of_labs() -> Vec<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../cli/tests/e2e");
        let mut tests = Vec::new();
        for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let module = file.file_stem().unwrap().to_str().unwrap();
            let text = fs::read_to_string(&file).unwrap();
            let declared = text.split("#[tokio::test").skip(1).chain(text.split("#[test]").skip(1));
            let names = declared.filter_map(|after| after.split_once("fn ")?.1.split_once('('));
            tests.extend(names.map(|(name, _)| format!("{module}::{name}")));
        }
        assert!(tests.len() > 60, "too few tests found: {tests:?}");
        tests
    }

    #[test]
    fn labs_have_two_lanes_others_a_third_and_what_measures_runs_alone() {
        let lanes = Lanes::of(programs(), Some(Long::All));
        let of_labs = CALLED.map(|called| format!("{LABS} ({called})"));
        assert_eq!(names(&lanes.labs.concat()), of_labs[..2]);
        assert!(lanes.labs.concat().iter().all(|job| job.threads == 1), "one lab at a time in each lane");
        let [timed, rest] = ["", "--skip "].map(|skip| format!("{} {skip}{}", TIMED.0, TIMED.1.join(" ")));
        let twice = names(&apache::jobs(&programs(), Long::All, 1));
        let first = [LONG[0], LONG[1]].map(str::to_owned);
        let last = [apache::PIPELINE, "-p order-api --lib", &rest].map(str::to_owned);
        assert_eq!(names(&lanes.others), [first.as_slice(), &twice, &last].concat(), "the longest first");
        let yields = |job: &Job| lanes.labs.concat().iter().all(|lab| lab.nice < job.nice);
        assert!(lanes.others.iter().all(yields), "to the labs");
        assert_eq!(names(&lanes.alone), [of_labs[2].as_str(), &timed, BROWSER, KNEE]);
    }

    #[test]
    fn what_is_quick_has_neither_labs_that_measure_nor_a_program_twice() {
        let lanes = Lanes::of(programs(), None);
        assert_eq!(names(&lanes.alone).len(), 3, "{:?}", names(&lanes.alone));
        assert_eq!(lanes.others.len(), 5, "{:?}", names(&lanes.others));
    }

    #[test]
    fn every_test_of_a_lab_is_in_one_lane_and_every_word_chooses_one() {
        let tests = tests_of_labs();
        let words = |long: Long| -> Vec<Vec<&'static str>> {
            let lanes = Lanes::of(vec![program(LABS)], Some(long));
            lanes.labs.into_iter().flatten().chain(lanes.alone).map(|job| job.only).collect()
        };
        let count = |test: &str, choices: &[Vec<&str>]| {
            choices.iter().filter(|only| runs(only, &tests).contains(test)).count()
        };
        let all = words(Long::All);
        for test in &tests {
            assert_eq!(count(test, &all), 1, "{test}");
        }
        // What measures, but is not in the part of the day, runs in no other lane.
        let measuring = runs(&all[2], &tests);
        for todays in (0..part::PARTS).map(Long::Part).map(words) {
            let measured = runs(&todays[2], &tests);
            assert!(!measured.is_empty() && measured.is_subset(&measuring), "{measured:?}");
            for test in &tests {
                let left = measuring.contains(test.as_str()) && !measured.contains(test.as_str());
                assert_eq!(count(test, &todays), usize::from(!left), "{test} beside {measured:?}");
            }
        }
        for word in MEASURING.concat().into_iter().chain(WAITING) {
            assert!(!runs(&[word], &tests).is_empty(), "no test has {word}");
        }
    }
}
