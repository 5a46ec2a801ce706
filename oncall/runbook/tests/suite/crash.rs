//! The room is killed at every point of a run with every kind of step: no act is done twice, and none is lost.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use runbook::{Decision, Event, Mode, Next, Run, Verdict, What, Who, audit, guardrails::Ledger, run::Ending};

use crate::support::{Room, ada, bad, good, started};

fn whole(
    answers: fn(&runbook::Place, &runbook::Call, bool) -> runbook::Answer,
    mode: Mode,
    by: &Who,
) -> Room {
    let mut room = Room::new(answers);
    room.start(started(mode, by.clone())).expect("nobody kills it");
    room
}

#[test]
fn a_run_that_is_killed_anywhere_does_each_act_once_and_ends_the_same() {
    for (mode, by) in [(Mode::Manual, ada()), (Mode::Ask, ada()), (Mode::Auto, Who::Automation)] {
        for answers in [good, bad] {
            let undisturbed = whole(answers, mode, &by);
            let expected = Run::replay(&undisturbed.journal).unwrap().end().cloned().expect("an end");
            assert!(undisturbed.world.values().all(|times| *times == 1), "{:?}", undisturbed.world);
            let mut killed = 0;
            for fuel in 0.. {
                let mut room = Room::new(answers);
                room.fuel = fuel;
                if room.start(started(mode, by.clone())).is_ok() {
                    break;
                }
                killed += 1;
                room.fuel = usize::MAX;
                let end = room.resume().expect("nobody kills it again");
                assert_eq!(room.world, undisturbed.world, "killed after {fuel} in mode {mode}");
                assert_eq!((end.how, &end.why), (expected.how, &expected.why));
                assert_eq!((&end.undone, &end.left), (&expected.undone, &expected.left));
                audit::verify(&room.chain, None).expect("an intact chain");
            }
            assert!(killed > 30, "only {killed} points to be killed at");
        }
    }
}

#[test]
fn a_run_can_be_killed_again_and_again() {
    let mut room = Room::new(good);
    room.fuel = 1;
    let mut ended = room.start(started(Mode::Auto, Who::Automation)).ok();
    for _ in 0..200 {
        if ended.is_some() {
            break;
        }
        // One event at a time; an act and its record need a few more.
        room.fuel = 5;
        ended = room.resume().ok();
    }
    assert_eq!(ended.expect("it ends").how, Ending::Succeeded);
    let once =
        BTreeMap::from(["INC-7/restart", "run-1/mute", "run-1/mute/undo"].map(|key| (key.to_owned(), 1)));
    assert_eq!(room.world, once);
}

#[test]
fn what_was_allowed_before_a_kill_and_had_not_begun_is_decided_again_and_counts_once() {
    let mut tried = 0;
    for fuel in 0.. {
        let mut room = Room::new(good);
        room.fuel = fuel;
        if room.start(started(Mode::Auto, Who::Automation)).is_ok() {
            break;
        }
        let mut run = Run::replay(&room.journal).unwrap();
        let Some(Next::Decide { place, change, undo, .. }) = run.undecided() else { continue };
        tried += 1;
        let at = room.journal.last().expect("an event").at;
        let count = |ledger: &Ledger| ledger.acts(None, TimeDelta::hours(1), at);
        assert_eq!(
            count(&room.ledger.before(run.id(), &change)) + u32::from(!undo),
            count(&room.ledger),
            "{place}: it is asked about as at the first time"
        );
        let decided = |verdict| {
            let decision = Decision { verdict, reasons: vec!["it is another day".to_owned()] };
            Event { at, what: What::Decided { place, decision } }
        };
        let allowed = decided(Verdict::Allow);
        run.apply(&allowed).expect("it has not begun");
        assert!(runbook::guardrails::noted(&run, &allowed).is_empty(), "{place} counts already");
        assert!(run.undecided().is_some());
        run.apply(&decided(Verdict::Recommend)).expect("it has not begun");
        assert!(!matches!(run.next(), Next::Act { .. }), "{place}: {:?}", run.next());
    }
    assert!(tried >= 3, "only {tried} of the three acts were between");
}

#[test]
fn an_act_that_has_begun_is_not_decided_again() {
    let mut room = Room::new(good);
    let mut run = Run::start(&started(Mode::Auto, Who::Automation)).unwrap();
    while !matches!(run.next(), Next::Act { begun: Some(_), .. }) {
        room.turn(&mut run).expect("nobody kills it");
    }
    assert_eq!(run.undecided(), None);
    let decision = Decision { verdict: Verdict::Allow, reasons: Vec::new() };
    let what = What::Decided { place: run.place(), decision };
    let refused = run.apply(&Event { at: run.started(), what }).unwrap_err().to_string();
    assert!(refused.contains("expected what became of step-4"), "{refused}");
}

#[test]
fn events_are_the_same_after_they_were_kept() {
    let room = whole(bad, Mode::Manual, &ada());
    let text: Vec<String> =
        room.journal.iter().map(|event| serde_json::to_string(event).expect("JSON")).collect();
    let back: Vec<Event> = text.iter().map(|line| serde_json::from_str(line).expect("an event")).collect();
    assert_eq!(back, room.journal);
    let (one, other) = (Run::replay(&room.journal).unwrap(), Run::replay(&back).unwrap());
    assert_eq!(one.next(), other.next());
    assert_eq!(one.passed(), other.passed());
}
