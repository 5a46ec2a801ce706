//! A verification after another one: what was proven a moment ago counts, and nothing else does; and where the time of a
//! run goes.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use drill::{
    Ask, Drill, Event, Look, Mode, Outcome, Phase, Run, Verdict, What,
    engine::{Proven, Responder, Start},
};
use proptest::{collection::vec, prelude::*};

use crate::{
    example::example,
    lab::{Lab, beginning, person, start, verify},
};

/// How long the baseline of [`slow`] has to hold, in seconds; and what is left of it after a proof of it.
const HOLDS: usize = 20;
const LEFT: usize = 8;

/// The example, with times as the committed drills have them.
fn slow() -> Drill {
    let mut drill = example();
    drill.baseline.holds = Duration::from_secs(20);
    drill.baseline.within = Duration::from_secs(200);
    drill.oracle.good_for = Duration::from_secs(12);
    drill
}

fn solution() -> Mode {
    verify(Responder::Solution)
}

fn seconds(count: i64) -> TimeDelta {
    TimeDelta::seconds(count)
}

/// What a run of the drill proves.
fn proven(drill: &Drill) -> Proven {
    let outcome = Lab::new(drill.clone(), solution()).finish();
    Proven::by(drill, &outcome, outcome.ended).expect("it has passed")
}

/// A lab with a run that starts after a proof.
fn after(drill: &Drill, proven: &Proven, pause: TimeDelta, mode: Mode) -> Lab {
    let start = Start { at: proven.at + pause, follows: Some(proven.clone()), ..start(mode.clone()) };
    let mut lab = Lab::new(drill.clone(), mode);
    lab.now = start.at;
    lab.run = Run::new(Arc::new(drill.clone()), start);
    lab
}

/// Seconds from the start until the baseline is proven.
fn waits(mut lab: Lab) -> i64 {
    let from = lab.now;
    lab.until(Phase::Observe);
    assert_eq!(lab.run.phase(lab.now), Phase::Observe);
    (lab.now - from).num_seconds()
}

fn except(looks: &[Look]) -> Vec<String> {
    let except = looks.iter().find_map(|look| match &look.ask {
        Ask::NoAlert { except, .. } => Some(except.clone()),
        _ => None,
    });
    except.expect("alerts are looked at")
}

#[test]
fn what_was_proven_a_moment_ago_shortens_the_baseline() {
    let drill = slow();
    let proven = proven(&drill);
    let alone = waits(Lab::new(drill.clone(), solution()));
    let follows = waits(after(&drill, &proven, seconds(3), solution()));
    assert_eq!(alone - follows, 12, "{alone} s alone, {follows} s after a proof of 12 s");
    let long = Proven { good_for: Duration::from_secs(60), ..proven };
    let least = waits(after(&drill, &long, seconds(3), solution()));
    assert_eq!(alone - least, 15, "five seconds are looked at in any case");
}

#[test]
fn nothing_else_shortens_it() {
    let drill = slow();
    let proven = proven(&drill);
    let alone = waits(Lab::new(drill.clone(), solution()));
    let waits = |proven: &Proven, pause, mode| waits(after(&drill, proven, seconds(pause), mode));
    assert_eq!(waits(&proven, 11, solution()), alone, "nobody looked for a while");
    assert_eq!(waits(&proven, -1, solution()), alone, "it ended after this one began");
    assert_eq!(waits(&proven, 3, person()), alone, "a person's run is no part of a row of proofs");
    let busier = Proven { rps: 60, ..proven.clone() };
    assert_eq!(waits(&busier, 3, solution()), alone, "another load");
    let other = Proven { scenario: "flash-sale".to_owned(), ..proven };
    assert_eq!(waits(&other, 3, solution()), alone, "another mix");
}

#[test]
fn only_a_verification_that_passed_and_was_reset_at_once_proves_anything() {
    let drill = slow();
    let by = |outcome: &Outcome| Proven::by(&drill, outcome, outcome.ended);
    let passed = Lab::new(drill.clone(), solution()).finish();
    assert!(by(&passed).is_some_and(|one| one.good_for == drill.oracle.good_for && one.at == passed.ended));
    assert_eq!(by(&Lab::new(drill.clone(), verify(Responder::Nothing)).finish()), None);
    for verdict in [Verdict::Failed, Verdict::Invalid, Verdict::Aborted, Verdict::TimedOut] {
        assert_eq!(by(&Outcome { verdict, ..passed.clone() }), None, "{verdict}");
    }
    assert_eq!(by(&Outcome { mode: person(), ..passed.clone() }), None);
    let ended = passed.ended + seconds(11);
    assert_eq!(by(&Outcome { ended, ..passed.clone() }), None, "nobody looked at the users meanwhile");
    assert_eq!(by(&Outcome { recovered: None, ..passed }), None);
}

#[test]
fn restarts_of_the_verification_before_may_be_told_and_there_must_be_no_later_one() {
    let drill = slow();
    let proven = proven(&drill);
    let looks = |lab: &mut Lab| {
        lab.ticks(2);
        lab.run.looks(lab.now)
    };
    // However the verification before ended: only a process that may still die again and again is no old news.
    let alone = looks(&mut Lab::new(drill.clone(), solution()));
    assert_eq!(except(&alone), ["ProcessRestarted", "ScrapesFailing"]);
    assert!(alone.iter().any(|look| look.id == "restarted"));
    let person = looks(&mut Lab::new(drill.clone(), person()));
    assert_eq!(except(&person), Vec::<String>::new());
    assert!(person.iter().all(|look| look.id != "restarted"));

    let mut lab = after(&drill, &proven, seconds(3), solution());
    let follows = looks(&mut lab);
    assert_eq!(except(&follows), ["ProcessRestarted", "ProcessCrashLooping", "ScrapesFailing"]);
    let restarted = follows.iter().find(|look| look.id == "restarted").expect("restarts are looked at");
    assert!(restarted.ask.describe().contains("process_start_time_seconds"), "{restarted:?}");
    lab.ticks(LEFT - 3);
    lab.event(What::Looked { look: "restarted".to_owned(), holds: true, seen: "1".to_owned() });
    lab.ticks(LEFT - 1);
    assert_eq!(lab.run.phase(lab.now), Phase::Baseline, "a process was restarted since");
    lab.ticks(3);
    assert_eq!(lab.run.phase(lab.now), Phase::Observe);

    let mut about = drill;
    about.pages.forbidden.push("ProcessRestarted".to_owned());
    about.signals[0].query = "ALERTS{alertname=\"ScrapesFailing\"}".to_owned();
    let about = looks(&mut after(&about, &proven, seconds(3), solution()));
    assert_eq!(except(&about), ["ProcessCrashLooping"], "a drill about restarts begins without them");
}

#[test]
fn nobody_looks_before_prometheus_has_forgotten() {
    let mut lab = Lab::new(slow(), solution());
    lab.event(What::Done { action: "set-load".to_owned() });
    assert_eq!(lab.run.looks(lab.now), Vec::<Look>::new());
    lab.event(What::Done { action: "forget".to_owned() });
    assert!(lab.run.looks(lab.now).iter().any(|look| look.id == "no-alert"));

    let mut stuck = Lab::new(slow(), solution());
    stuck.event(What::Done { action: "set-load".to_owned() });
    stuck.now += seconds(270);
    assert_eq!(stuck.run.phase(stuck.now), Phase::Reset);
    stuck.tick();
    let seen: Vec<&str> = stuck.run.failures().iter().map(|failure| failure.seen.as_str()).collect();
    assert_eq!(seen, ["not done: forget"]);
}

#[test]
fn a_verification_begins_with_its_fault_and_a_person_has_time_to_look_around() {
    let first = |mode: Mode| {
        let mut lab = Lab::new(example(), mode);
        lab.until(Phase::Observe);
        let begun = lab.now;
        let now: Vec<String> = lab.run.due(begun).into_iter().map(|due| due.id).collect();
        let due = lab.run.due(begun + seconds(30));
        let at = |id: &str| due.iter().find(|due| due.id == id).map(|due| (due.at - begun).num_seconds());
        (now, ["fault[0]", "surge[0]", "surge-end[0]", "fault[1]"].map(at))
    };
    let (now, times) = first(solution());
    // The change that causes it is in the list before it.
    assert_eq!(now, ["weaken[0]", "change[0]", "noise[0]", "noise[1]", "fault[0]"]);
    assert_eq!(times, [0, 1, 5, 2].map(Some));
    let (now, times) = first(person());
    assert_eq!(now, ["weaken[0]"]);
    assert_eq!(times, [2, 3, 7, 4].map(Some));
}

#[test]
fn the_laps_of_a_run_name_its_parts_and_add_up_to_its_time() {
    for responder in [Responder::Solution, Responder::Nothing, Responder::RestartAll] {
        let outcome = Lab::new(example(), verify(responder)).finish();
        assert_adds_up(&outcome);
        if responder == Responder::Solution {
            let names: Vec<&str> = outcome.laps.iter().map(|lap| lap.name.as_str()).collect();
            let before = ["forget", "load", "healthy", "injection", "observe", "wrong action 1"];
            let after = ["step 1", "step 2", "step 3", "recover", "reset"];
            assert_eq!(names, [&before[..], &after[..]].concat());
        }
    }
    let mut aborted = Lab::new(example(), solution());
    aborted.ticks(3);
    aborted.event(What::Aborted { why: "enough".to_owned() });
    assert_adds_up(&aborted.finish());
}

#[track_caller]
fn assert_adds_up(outcome: &Outcome) {
    let sum: f64 = outcome.laps.iter().map(|lap| lap.seconds).sum();
    let whole = (outcome.ended - outcome.started).as_seconds_f64();
    assert!((sum - whole).abs() < 0.001, "{sum} of {whole} s: {:?}", outcome.laps);
}

/// What is seen in a second: an alert that fires, and whether users are served.
type Second = (bool, bool);

/// The second in which the baseline of a run after a proof is over; nothing if none of these.
fn begins(drill: &Drill, proven: &Proven, all: &[Second]) -> Option<usize> {
    let at = proven.at + seconds(2);
    let start = Start { at, follows: Some(proven.clone()), ..start(solution()) };
    let mut run = Run::new(Arc::new(drill.clone()), start);
    let tell = |run: &mut Run, at: DateTime<Utc>, what: What| {
        run.apply(&Event { at, by: "test".to_owned(), what });
    };
    for due in run.due(at) {
        tell(&mut run, at, What::Done { action: due.id });
    }
    let mut now = at;
    for (second, (alert, served)) in all.iter().enumerate() {
        now += seconds(1);
        for look in run.looks(now) {
            let holds = match look.id.as_str() {
                "no-alert" => !alert,
                "sli[0]" => *served,
                id => !(id.starts_with("signal") || id.starts_with("path") || id == "restarted"),
            };
            tell(&mut run, now, What::Looked { look: look.id, holds, seen: String::new() });
        }
        if run.phase(now) != Phase::Baseline {
            return Some(second);
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_baseline_after_a_proof_is_never_shorter_than_what_was_seen_allows(
        bad in vec((0..60_usize, any::<bool>()), 0..4),
    ) {
        let drill = slow();
        let (good_for, scenario) = (drill.oracle.good_for, drill.load.scenario.clone());
        let proven = Proven { at: beginning(), good_for, scenario, rps: drill.load.rps };
        let mut all: Vec<Second> = vec![(false, true); 90];
        for (second, is_alert) in bad {
            all[second] = if is_alert { (true, true) } else { (false, false) };
        }
        let begun = begins(&drill, &proven, &all).expect("the last thirty seconds are good");
        let alert = all[..=begun].iter().any(|(alert, _)| *alert);
        let held = all[..=begun].iter().rev().take_while(|(alert, served)| !alert && *served).count();
        // The first look of a row is its beginning.
        let needed = if alert { HOLDS } else { LEFT };
        prop_assert_eq!(held, needed + 1, "begun after {} s", begun);
    }
}
