//! Actions that do not help: judged as early as that can be seen, and never wrongly.

use std::time::Duration;

use drill::{Drill, Phase, What, engine::Responder};
use promql_parser::parser;
use proptest::{collection::vec, prelude::*};

use crate::{
    lab::{Lab, verify},
    repository::{file, files},
};

/// Seconds after which the first wrong action of the drill is judged at the latest: one until it is done, and twenty.
const LATEST: usize = 21;
/// And at the earliest: 5 s until it has settled, a window of 5 s, and 3 s in which it is seen.
const EARLIEST: usize = 14;

/// A drill whose wrong action has a signal about a rate, and no time of its own.
fn first_page() -> Drill {
    let path = "drills/first-page.yaml";
    drill::read(path, &file(path)).unwrap_or_else(|problems| panic!("{problems}"))
}

/// How long the wrong action is tried, and whether it is said to help; what is seen in each second from its beginning.
fn tried(fresh: &[bool], signal: &[bool]) -> (usize, bool) {
    let mut lab = Lab::new(first_page(), verify(Responder::Solution));
    lab.until(Phase::Wrong(0));
    assert_eq!(lab.run.phase(lab.now), Phase::Wrong(0));
    for second in 1..=LATEST {
        lab.now += chrono::TimeDelta::seconds(1);
        for due in lab.run.due(lab.now) {
            lab.event(What::Done { action: due.id });
        }
        for look in lab.run.looks(lab.now) {
            let holds = match look.id.as_str() {
                "fresh[0]" => fresh[second],
                "signal[0]" => signal[second],
                _ => true,
            };
            lab.event(What::Looked { look: look.id, holds, seen: String::new() });
        }
        if lab.run.phase(lab.now) != Phase::Wrong(0) {
            return (second, !lab.run.failures().is_empty());
        }
    }
    panic!("it is never judged");
}

#[test]
fn it_is_judged_as_soon_as_a_window_behind_the_action_shows_the_same_for_a_while() {
    let (always, never) = ([true; LATEST + 1], [false; LATEST + 1]);
    assert_eq!(tried(&always, &always), (EARLIEST, false));
    assert_eq!(tried(&never, &always), (LATEST, false), "it cannot be seen earlier");
    assert_eq!(tried(&always, &never), (LATEST, true), "the signal is gone: it helps");
    let mut late = always;
    late[EARLIEST - 2] = false;
    assert_eq!(tried(&late, &always), (EARLIEST + 2, false), "three seconds from where it is seen again");
}

#[test]
fn the_time_that_a_drill_states_is_waited_for() {
    let text = file("drills/noon.yaml");
    let drill = drill::read("drills/noon.yaml", &text).unwrap_or_else(|problems| panic!("{problems}"));
    let proof = drill.mitigations.wrong.iter().find_map(|wrong| wrong.proof.clone()).expect("a proof");
    assert_eq!((proof.after, proof.fresh), (Duration::from_secs(30), None));
}

#[test]
fn a_signal_that_looks_back_is_waited_for_until_its_window_lies_behind_the_action() {
    let mut far = 0;
    for path in files("drills", ".yaml") {
        let drill = drill::read(&path, &file(&path)).unwrap_or_else(|problems| panic!("{problems}"));
        for proof in drill.mitigations.wrong.iter().filter_map(|wrong| wrong.proof.as_ref()) {
            let looks_back = proof.still.query.contains("[30s]");
            assert!(!looks_back || proof.after >= Duration::from_secs(35), "{path}: {}", proof.still.query);
            far += usize::from(looks_back);
        }
    }
    assert!(far >= 3, "{far}");
}

#[test]
fn every_question_that_is_asked_early_parses_and_many_can_be() {
    let (mut lately, mut now) = (0, 0);
    for path in files("drills", ".yaml") {
        let drill = drill::read(&path, &file(&path)).unwrap_or_else(|problems| panic!("{problems}"));
        for fresh in drill.mitigations.wrong.iter().filter_map(|wrong| wrong.proof.as_ref()?.fresh.clone()) {
            parser::parse(&fresh.query).unwrap_or_else(|error| panic!("{path}: {}: {error}", fresh.query));
            if fresh.looks_back.is_zero() { now += 1 } else { lately += 1 }
        }
    }
    assert!(lately >= 20 && now >= 3, "{lately} about the last seconds, {now} about now");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn it_is_judged_early_only_if_everything_was_seen_at_every_look_of_the_last_seconds(
        fresh in vec(prop::bool::weighted(0.8), LATEST + 1),
        signal in vec(prop::bool::weighted(0.8), LATEST + 1),
    ) {
        let (second, helped) = tried(&fresh, &signal);
        if second < LATEST {
            prop_assert!(second >= EARLIEST && !helped);
            prop_assert!(fresh[second - 3..=second].iter().all(|holds| *holds), "{:?}", fresh);
            prop_assert!(signal[second], "{:?}", signal);
        } else {
            // By the look before the time is over: the deadline itself comes before the next one.
            prop_assert_eq!(helped, !signal[second - 1], "{:?}", signal);
        }
    }
}
