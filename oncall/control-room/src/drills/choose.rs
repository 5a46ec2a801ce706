//! Which drill next: what is suggested to a person, and what a mystery is. Pure.

use std::{collections::BTreeSet, sync::Arc};

use drill::{Drill, names::Difficulty};

use super::rows::Past;

/// How a run ends that went well.
const PASSED: &str = "passed";

/// What somebody did in one drill before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Runs that are over.
    pub(super) runs: usize,
    /// The best score of those in which the solution was not known.
    pub(super) best: Option<u32>,
    /// The best score of all.
    practised: Option<u32>,
    /// How the last one ended.
    pub(super) last: Option<String>,
}

/// What somebody did in this drill before.
pub(super) fn tally(past: &[Past], drill: &str) -> Tally {
    let of = || past.iter().filter(|one| one.drill == drill);
    Tally {
        runs: of().count(),
        best: of().filter(|one| !one.seen).filter_map(|one| one.score).max(),
        practised: of().filter_map(|one| one.score).max(),
        last: of().next_back().map(|one| one.verdict.clone()),
    }
}

/// The drill that helps most next: the easiest that was not passed and whose prerequisites were, or else the
/// one with the worst score.
pub(super) fn suggested(drills: &[Arc<Drill>], past: &[Past]) -> Option<String> {
    let passed: BTreeSet<&str> =
        past.iter().filter(|one| one.verdict == PASSED).map(|one| one.drill.as_str()).collect();
    let ready = |drill: &&Arc<Drill>| drill.prerequisites.iter().all(|name| passed.contains(name.as_str()));
    let open: Vec<&Arc<Drill>> = drills.iter().filter(|drill| !passed.contains(drill.id.as_str())).collect();
    let easiest = open.iter().copied().filter(ready).min_by_key(|drill| (drill.difficulty, &drill.id));
    // A prerequisite may not be there at all.
    let easiest = easiest.or_else(|| open.iter().copied().min_by_key(|drill| (drill.difficulty, &drill.id)));
    let worst = || drills.iter().min_by_key(|drill| (tally(past, &drill.id).practised, &drill.id));
    easiest.or_else(worst).map(|drill| drill.id.clone())
}

/// A drill that nobody knows in advance: of this difficulty, or of the one that is suggested; one of those
/// that were done least often. The same seed and the same past choose the same.
pub(super) fn mystery(
    drills: &[Arc<Drill>],
    past: &[Past],
    difficulty: Option<Difficulty>,
    seed: u64,
) -> Option<Arc<Drill>> {
    let level = difficulty.or_else(|| {
        let name = suggested(drills, past)?;
        drills.iter().find(|drill| drill.id == name).map(|drill| drill.difficulty)
    })?;
    let mut of_level: Vec<&Arc<Drill>> = drills.iter().filter(|drill| drill.difficulty == level).collect();
    let fewest = of_level.iter().map(|drill| tally(past, &drill.id).runs).min()?;
    of_level.retain(|drill| tally(past, &drill.id).runs == fewest);
    of_level.sort_by_key(|drill| &drill.id);
    let index = usize::try_from(mixed(seed) % of_level.len() as u64).ok()?;
    of_level.get(index).copied().cloned()
}

/// Spreads a seed over all numbers (splitmix64): people take 1, 2 and 3.
fn mixed(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{content::Content, drills::library::Library};

    fn drills() -> Vec<Arc<Drill>> {
        Library::new(&Content::open(None).unwrap()).all()
    }

    fn past(drill: &str, verdict: &str, score: u32) -> Past {
        Past { drill: drill.to_owned(), verdict: verdict.to_owned(), score: Some(score), seen: false }
    }

    #[test]
    fn a_beginner_starts_with_the_easiest_and_goes_on_when_it_is_passed() {
        let drills = drills();
        let first = suggested(&drills, &[]).unwrap();
        let chosen = drills.iter().find(|drill| drill.id == first).unwrap();
        assert_eq!((chosen.difficulty, chosen.prerequisites.len()), (Difficulty::FirstDay, 0));
        let failed = [past(&first, "timed-out", 20)];
        assert_eq!(suggested(&drills, &failed), Some(first.clone()), "it was not passed");
        let next = suggested(&drills, &[past(&first, "passed", 80)]).unwrap();
        assert_ne!(next, first);
    }

    #[test]
    fn who_passed_all_repeats_what_went_worst() {
        let drills = drills();
        let score = |index: usize| if index == 7 { 31 } else { 90 };
        let all: Vec<Past> =
            drills.iter().enumerate().map(|(at, drill)| past(&drill.id, "passed", score(at))).collect();
        assert_eq!(suggested(&drills, &all), Some(drills[7].id.clone()));
    }

    #[test]
    fn a_mystery_follows_from_its_seed_and_is_one_of_those_done_least_often() {
        let drills = drills();
        let hard = |past: &[Past], seed| {
            let chosen = mystery(&drills, past, Some(Difficulty::Hard), seed).unwrap();
            chosen.id.clone()
        };
        assert_eq!(hard(&[], 1), hard(&[], 1));
        let chosen: BTreeSet<String> = (0..50).map(|seed| hard(&[], seed)).collect();
        assert!(chosen.len() > 2, "{chosen:?}");
        let done: Vec<Past> = chosen.iter().skip(1).map(|id| past(id, "failed", 1)).collect();
        for seed in 0..20 {
            let again = hard(&done, seed);
            assert!(!done.iter().any(|one| one.drill == again), "{again}");
        }
        let first = mystery(&drills, &[], None, 3).unwrap();
        assert_eq!(first.difficulty, Difficulty::FirstDay, "as is suggested");
    }

    #[test]
    fn a_tally_has_the_best_score_and_the_last_verdict() {
        let all = [past("a", "passed", 80), past("a", "timed-out", 30), past("b", "passed", 99)];
        let (best, last) = (Some(80), Some("timed-out".to_owned()));
        let expected = Tally { runs: 2, best, practised: best, last };
        assert_eq!(tally(&all, "a"), expected);
        let again = [past("a", "aborted", 10), Past { seen: true, ..past("a", "passed", 95) }];
        let known = tally(&again, "a");
        assert_eq!(
            (known.best, known.practised),
            (Some(10), Some(95)),
            "who knows the solution is not blind"
        );
        assert_eq!(tally(&all, "c"), Tally::default());
    }
}
