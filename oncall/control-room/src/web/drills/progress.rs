//! What a person has done so far: runs and scores of each drill; and what may be told of a drill.

use std::{collections::BTreeSet, sync::Arc};

use drill::{Drill, names::Difficulty};

use super::facts::Run;

/// All, the easiest first.
pub(super) const DIFFICULTIES: [Difficulty; 5] =
    [Difficulty::FirstDay, Difficulty::Easy, Difficulty::Medium, Difficulty::Hard, Difficulty::Brutal];

/// What somebody has done with one drill.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Past {
    /// How often it is over.
    pub(super) runs: usize,
    /// The best score of those in which the solution was not known.
    pub(super) best: Option<u32>,
    /// Whether one of them passed.
    pub(super) passed: bool,
}

/// The drills in the order in which they are shown: the easiest first, then by name.
pub(super) fn sorted(mut drills: Vec<Arc<Drill>>) -> Vec<Arc<Drill>> {
    drills.sort_by(|one, other| (one.difficulty, &one.id).cmp(&(other.difficulty, &other.id)));
    drills
}

/// The runs of a person of a drill that are over, in the order in which they come.
fn own<'r>(runs: &'r [Run], person: &str, drill: &str) -> Vec<&'r Run> {
    let of = |run: &&Run| run.counts() && run.responder == person && run.drill.as_deref() == Some(drill);
    runs.iter().filter(of).collect()
}

/// What a person has done with a drill.
pub(super) fn past(runs: &[Run], person: &str, drill: &str) -> Past {
    let own = own(runs, person, drill);
    Past {
        runs: own.len(),
        best: own.iter().filter(|run| !run.seen).filter_map(|run| run.points()).max(),
        passed: own.iter().any(|run| run.passed()),
    }
}

/// Whether a person may know what a drill is about: it is over for them, and its truth is not sealed now.
pub(super) fn knows(runs: &[Run], person: &str, drill: &str) -> bool {
    own(runs, person, drill).iter().any(|run| run.truth.is_some())
}

/// Names of the drills that a person has passed.
pub(super) fn passed<'r>(runs: &'r [Run], person: &str) -> BTreeSet<&'r str> {
    let own = runs.iter().filter(|run| run.counts() && run.passed() && run.responder == person);
    own.filter_map(|run| run.drill.as_deref()).collect()
}

/// What is told of a drill in a word each: what it needs, and, to those who know it, what it is about.
pub(super) fn tags(drill: &Drill, knows: bool) -> Vec<String> {
    let words = |word: String| word.replace('-', " ");
    let mut tags: Vec<String> =
        drill.needs.iter().map(|need| format!("needs {}", words(need.to_string()))).collect();
    if knows {
        tags.extend(drill.tags.layers.iter().map(|layer| words(layer.to_string())));
        tags.push(words(drill.tags.mechanism.clone()));
        tags.extend(drill.tags.traits.iter().map(|special| words(special.to_string())));
    }
    tags
}

#[cfg(test)]
pub(super) mod tests {
    use chrono::Utc;

    use super::{super::facts::Score, *};

    /// A drill of the repository.
    pub(in super::super) fn committed(name: &str) -> Arc<Drill> {
        let path = format!("{}/../../drills/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap();
        Arc::new(drill::read(&path, &text).unwrap())
    }

    /// A run of a person that is over.
    pub(in super::super) fn over(drill: &str, person: &str, total: u32) -> Run {
        let verdict = if total > 50 { "passed" } else { "failed" };
        Run {
            drill: Some(drill.to_owned()),
            responder: person.to_owned(),
            ended_at: Some(Utc::now()),
            verdict: Some(verdict.to_owned()),
            score: Some(Score { total, ..Score::default() }),
            ..Run::default()
        }
    }

    #[test]
    fn the_best_of_ones_own_runs_counts_and_those_of_others_do_not() {
        let mut tried = over("first-page", "ada", 99);
        tried.verify = Some("solution".to_owned());
        let by = |person: &str, total| over("first-page", person, total);
        let runs = [by("ada", 40), by("ada", 72), by("ben", 90), tried];
        let ada = past(&runs, "ada", "first-page");
        assert_eq!(ada, Past { runs: 2, best: Some(72), passed: true });
        assert_eq!(past(&runs, "ada", "cut-off"), Past::default());
    }

    #[test]
    fn drills_are_listed_from_the_easiest_to_the_hardest() {
        let drills = sorted(["far-away", "two-fires", "nobody-there", "first-page"].map(committed).to_vec());
        let ids: Vec<&str> = drills.iter().map(|drill| drill.id.as_str()).collect();
        assert_eq!(ids, ["first-page", "nobody-there", "far-away", "two-fires"]);
        let runs = [over("first-page", "ada", 90), over("far-away", "ada", 10), over("two-fires", "ben", 90)];
        assert_eq!(passed(&runs, "ada"), BTreeSet::from(["first-page"]));
    }

    #[test]
    fn tags_tell_a_newcomer_nothing_of_the_cause() {
        let drill = committed("lost-memory");
        assert!(tags(&drill, false).is_empty());
        assert!(tags(&drill, true).contains(&"dead cache".to_owned()));
    }
}
