//! What no sequence of events can make the machine do.

use chrono::TimeDelta;
use proptest::prelude::*;
use release::{
    Run, Verdict,
    run::{Change, How, Next, What},
};

use crate::{
    machine::{opinion, run, watching},
    support::{after, policy},
    world::{even, plan, started},
};

/// An event of any kind, whether it fits or not.
fn any_event() -> impl Strategy<Value = fn(&Run, i64) -> What> {
    let events: [fn(&Run, i64) -> What; 12] = [
        |run, at| match run.next(after(at)) {
            Next::Commit { key, .. } => What::Committed { key, commit: Some(format!("c{at}")) },
            _ => What::Committed { key: "rel-1/step-2".to_owned(), commit: None },
        },
        |_, _| What::Settled,
        |_, at| What::Measured {
            block: release::Block {
                until: after(at),
                canary: even(0, 50),
                baseline: even(0, 50),
                everyone: 900,
            },
        },
        |_, _| opinion(Verdict::Pass),
        |_, _| opinion(Verdict::Fail),
        |_, _| opinion(Verdict::Inconclusive),
        |_, _| What::Expired,
        |_, _| What::Failed { why: "it does not start".to_owned() },
        |_, _| What::Continued { by: "eve".to_owned(), why: "it is night".to_owned() },
        |_, _| What::Aborted { by: "eve".to_owned(), why: "the sale begins".to_owned() },
        |_, _| started(),
        |_, _| What::Frozen { why: "the budget is spent".to_owned() },
    ];
    // What leads on comes more often, so that some releases get far.
    let times = [12, 12, 6, 12, 1, 1, 1, 1, 3, 1, 1, 1];
    let places = times.iter().enumerate().flat_map(|(place, times)| vec![place; *times]);
    prop::sample::select(places.collect::<Vec<_>>()).prop_map(move |place| events[place])
}

proptest! {
    #[test]
    fn no_sequence_of_events_promotes_what_did_not_pass_or_goes_on_after_the_way_back(
        events in prop::collection::vec(any_event(), 1..60),
    ) {
        let (mut run, mut back) = (run(), false);
        for (at, event) in (1..).zip(&events) {
            let what = event(&run, at);
            let before = run.next(after(at));
            if run.apply(&what.at(after(at))).is_err() {
                prop_assert_eq!(run.next(after(at)), before, "a refused event changes nothing");
            }
            match run.next(after(at)) {
                Next::Commit { change: Change::Revert { commits, .. }, .. } => {
                    back = true;
                    prop_assert_eq!(commits.as_slice(), run.commits());
                }
                Next::Commit { change, .. } => {
                    prop_assert!(!back, "{change:?} on the way back");
                    let sound = |passed: &release::run::Passed| {
                        passed.opinion.verdict == Verdict::Pass || passed.by.is_some()
                    };
                    prop_assert!(run.passed().iter().all(sound));
                    if let Change::Promote { .. } = change {
                        prop_assert_eq!(run.passed().len(), plan().judged());
                    }
                }
                Next::Ended(end) => {
                    prop_assert_eq!(end.how == How::Released, !back);
                    prop_assert!(run.apply(&What::Settled.at(after(at))).is_err());
                }
                _ => {}
            }
        }
    }

    #[test]
    fn time_alone_ends_every_wait(seconds in 1..3000_i64) {
        let run = watching();
        let longest = policy().patience.max(policy().person).max(policy().settle).as_secs().cast_signed();
        let next = run.next(after(2) + TimeDelta::seconds(seconds));
        let decided = matches!(next, Next::Note(_));
        prop_assert_eq!(decided, seconds >= policy().patience.as_secs().cast_signed());
        prop_assert!(seconds < longest || decided);
    }
}

#[test]
fn the_generator_makes_releases_that_end_in_every_way() {
    use proptest::{strategy::ValueTree as _, test_runner::TestRunner};

    let (mut runner, mut ends) = (TestRunner::deterministic(), std::collections::BTreeSet::new());
    for _ in 0..400 {
        let events = prop::collection::vec(any_event(), 40..60).new_tree(&mut runner).unwrap().current();
        let mut run = run();
        for (at, event) in (1..).zip(&events) {
            let what = event(&run, at);
            // Some are refused.
            let _ = run.apply(&what.at(after(at)));
        }
        ends.extend(run.end().map(|end| end.how.to_string()));
    }
    let all = ["aborted", "released", "rolled-back", "stuck"].map(str::to_owned);
    assert_eq!(ends, std::collections::BTreeSet::from(all));
}
