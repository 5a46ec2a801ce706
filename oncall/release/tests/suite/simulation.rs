//! Whole releases under random traffic: a good version reaches everyone, a bad one is stopped at the canary.

use release::{
    Run, Verdict,
    run::{Change, How},
};

use crate::{
    support::{GOOD, Version, policy},
    world,
};

fn release(seed: u64, canary: Version) -> (Run, Vec<Change>) {
    world::release(seed, canary, policy())
}

#[test]
fn the_same_version_is_never_judged_worse_in_twenty_releases_and_reaches_everyone_in_eighteen() {
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
fn a_bad_version_is_stopped_at_the_canary_and_few_people_meet_it() {
    let bad = Version { errors: 0.05, slower: 2.0, ..GOOD };
    for seed in 0..20 {
        let (run, changes) = release(seed, bad);
        let end = run.end().expect("an end");
        assert_eq!(end.how, How::RolledBack, "seed {seed}: {end:?}");
        assert!(end.why.starts_with("worse at 5 %: "), "{}", end.why);
        assert_eq!(run.passed().len(), 1, "seed {seed}");
        let exposed = run.exposed().share().expect("requests");
        assert!(exposed <= 0.05, "seed {seed}: {exposed}");
        let lasted = (end.at - run.started()).num_seconds();
        assert!(lasted <= 90, "seed {seed}: {lasted} s from the start until the old version has everything");
        assert!(
            matches!(changes.as_slice(), [Change::Canary { weight: 5, .. }, Change::Revert { commits, .. }] if commits.len() == 1)
        );
    }
}

#[test]
fn versions_that_are_bad_in_one_way_never_reach_everyone() {
    let kinds = [
        Version { errors: 0.05, ..GOOD },
        Version { slower: 2.0, ..GOOD },
        Version { tail: 3.0, ..GOOD },
        Version { fuller: 2.0, ..GOOD },
    ];
    for (seed, bad) in (0..5).flat_map(|seed| kinds.map(|bad| (seed, bad))) {
        let (run, _) = release(seed, bad);
        assert_eq!(run.end().map(|end| end.how), Some(How::RolledBack), "seed {seed}: {bad:?}");
        assert_eq!(run.passed().len(), 1, "seed {seed}: {bad:?}");
    }
}
