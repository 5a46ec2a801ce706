//! A release that is continued by a restored control room leaves what came after it alone.

use release::{
    Opinion, Run, Verdict,
    fleet::{Crew, Trial, Version},
    run::{Next, What},
};

use crate::{support::after, world::started};

fn crew(version: &str, canary: Option<&str>) -> Crew {
    let trial = |name| Trial { version: Version::built(name), weight: 5 };
    Crew { version: Version::built(version), canary: canary.map(trial) }
}

fn apply(run: &mut Run, at: i64, what: What) {
    run.apply(&what.at(after(at))).expect("an event that fits");
}

/// Makes the commit that is next, and puts it into force.
fn step(run: &mut Run, at: i64) {
    let Next::Commit { key, .. } = run.next(after(at)) else { panic!("{:?}", run.next(after(at))) };
    apply(run, at, What::Committed { key, commit: Some(format!("c{at}")) });
    apply(run, at, What::Settled);
}

fn pass(run: &mut Run, at: i64) {
    let opinion = Opinion {
        verdict: Verdict::Pass,
        why: "because".to_owned(),
        signals: Vec::new(),
        requests: 9,
        needed: 9,
    };
    apply(run, at, What::Judged { opinion });
}

/// Which of the three that a release leaves is possible now: the old version, the canary beside it, the new version.
fn possible(run: &Run) -> [bool; 3] {
    [crew("v1", None), crew("v1", Some("v2")), crew("v2", None)].map(|crew| run.overtaken(&crew).is_none())
}

#[test]
fn what_a_release_can_have_left_at_each_point_is_not_taken_for_somebody_elses() {
    let mut run = Run::start(&started().at(after(0))).expect("a plan that can be done");
    assert_eq!(possible(&run), [true, true, false], "before the first step, or killed after it");
    step(&mut run, 1);
    assert_eq!(possible(&run), [false, true, false], "at the first step");
    let mut stopped = run.clone();
    apply(&mut stopped, 2, What::Aborted { by: "ada".to_owned(), why: "wrong".to_owned() });
    assert_eq!(possible(&stopped), [true, true, false], "on the way back from a canary");
    for at in [10, 20] {
        pass(&mut run, at);
        assert_eq!(possible(&run), [false, true, false], "before a further step");
        step(&mut run, at + 1);
    }
    pass(&mut run, 30);
    assert_eq!(possible(&run), [false, true, true], "before the promotion, or killed after it");
    apply(&mut run, 31, What::Failed { why: "Git".to_owned() });
    assert_eq!(possible(&run), [true, true, true], "on the way back, perhaps from a promotion");
}

#[test]
fn a_later_release_is_seen_at_each_point() {
    let mut run = Run::start(&started().at(after(0))).expect("a plan that can be done");
    for _ in 0..2 {
        for (version, canary) in [("v3", None), ("v2", Some("v3")), ("v1", Some("v3"))] {
            let why = run.overtaken(&crew(version, canary)).expect("somebody else's");
            assert!(why.starts_with(&format!("order-api runs {version}")), "{why}");
        }
        if run.commits().is_empty() {
            step(&mut run, 1);
        }
    }
}
