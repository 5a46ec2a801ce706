//! A version that computes wrong totals answers fast and successfully. Its orders are checked by another service.

use release::{
    Judge, Opinion, Policy, Run, Verdict, invariants,
    judge::Count,
    run::{Change, How},
};

use crate::{
    support::{GOOD, TOTALS, Traffic, Version, after, policy, start},
    world::{self, even},
};

/// As releases of order-api are judged.
fn checked() -> Policy {
    Policy { invariants: invariants::names("order-api"), ..policy() }
}

/// Judges a step of 5 %, second by second, until it is decided or out of patience; with the seconds it took.
fn step(seed: u64, canary: Version, old: Version) -> (Opinion, i64) {
    let (policy, mut traffic) = (checked(), Traffic::new(seed));
    let mut judge = Judge::new(&policy, 3, start());
    let patience = policy.patience.as_secs().cast_signed();
    for second in 1..patience {
        judge.see(&traffic.second(after(second), 5, canary, old));
        let opinion = judge.opinion(after(second));
        if opinion.verdict != Verdict::Inconclusive {
            return (opinion, second);
        }
    }
    (judge.opinion(after(patience)), patience)
}

fn release(seed: u64, canary: Version) -> (Run, Vec<Change>) {
    world::release(seed, canary, checked())
}

#[test]
fn wrong_totals_are_stopped_at_the_canary_within_a_minute_and_few_people_meet_them() {
    // As deploy/releases/wrong-totals.patch: only an order whose prices all end in 0 or 5 has the right total.
    let bad = Version { wrong: 0.8, ..GOOD };
    for seed in 0..20 {
        let (run, changes) = release(seed, bad);
        let end = run.end().expect("an end");
        assert_eq!(end.how, How::RolledBack, "seed {seed}: {end:?}");
        assert!(end.why.starts_with("worse at 5 %: wrong-totals: "), "{}", end.why);
        let exposed = run.exposed().share().expect("requests");
        assert!(exposed <= 0.05, "seed {seed}: {exposed}");
        let lasted = (end.at - run.started()).num_seconds();
        assert!(lasted <= 60, "seed {seed}: {lasted} s from the start until the old version has everything");
        assert!(matches!(changes.as_slice(), [Change::Canary { weight: 5, .. }, Change::Revert { .. }]));
    }
}

#[test]
fn a_few_wrong_totals_fail_too_and_one_never_passes() {
    for seed in 0..20 {
        let (opinion, seconds) = step(seed, Version { wrong: 0.05, ..GOOD }, GOOD);
        assert_eq!(opinion.verdict, Verdict::Fail, "seed {seed}: {}", opinion.why);
        assert!(opinion.why.starts_with("wrong-totals: "), "seed {seed}: {}", opinion.why);
        assert!(seconds <= 240, "seed {seed}: {seconds} s");
    }
    let (mut judge, mut traffic) = (Judge::new(&checked(), 3, start()), Traffic::new(1));
    for second in 1..300 {
        let mut block = traffic.second(after(second), 5, GOOD, GOOD);
        if second == 7 {
            block.canary.shares.entry(TOTALS.to_owned()).or_default().add(Count { bad: 1, all: 1 });
        }
        judge.see(&block);
        let opinion = judge.opinion(after(second));
        assert!(second < 7 || opinion.verdict == Verdict::Inconclusive, "{second} s: {}", opinion.why);
    }
}

#[test]
fn the_same_version_never_fails_and_reaches_everyone_in_eighteen_of_twenty_releases() {
    let mut released = 0;
    for seed in 0..20 {
        let (run, _) = release(seed, GOOD);
        let failed = run.passed().iter().find(|passed| passed.opinion.verdict == Verdict::Fail);
        assert!(failed.is_none(), "seed {seed}: {failed:?}");
        released += u32::from(run.end().is_some_and(|end| end.how == How::Released));
    }
    assert!(released >= 18, "{released} of 20 reached everyone");
}

#[test]
fn an_old_version_that_is_as_wrong_fails_no_release_and_a_repair_passes() {
    let wrong = Version { wrong: 0.3, ..GOOD };
    for seed in 0..20 {
        let (opinion, _) = step(seed, wrong, wrong);
        assert_ne!(opinion.verdict, Verdict::Fail, "seed {seed}: {}", opinion.why);
    }
    let repaired = (0..10).filter(|seed| step(*seed, GOOD, wrong).0.verdict == Verdict::Pass).count();
    assert!(repaired >= 9, "{repaired} of 10");
}

#[test]
fn totals_that_nobody_checks_are_no_pass() {
    let mut judge = Judge::new(&checked(), 3, start());
    for second in 1..=60 {
        let until = after(second);
        judge.see(&release::Block { until, canary: even(0, 100), baseline: even(0, 100), everyone: 2000 });
    }
    let opinion = judge.opinion(after(60));
    assert_eq!(opinion.verdict, Verdict::Inconclusive, "{opinion:?}");
    assert!(opinion.why.starts_with("wrong-totals: nothing was checked"), "{}", opinion.why);
}
