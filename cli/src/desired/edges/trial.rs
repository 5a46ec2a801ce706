//! A text of a rule that a commit brings meets one edge first; the others get it if it costs little there. The cases of a rule say what
//! it finds; only real requests say what it costs. Asks nobody.
//!
//! What is too much is the same as for `lab waf apply --canary`. A text that cost too much is not tried again: a commit has to change
//! it.

use std::{collections::BTreeMap, time::Duration};

use switchboard::{Counts, rule_costs};
use tokio::time::Instant;

/// How long a text is watched in its first edge.
const WATCHED: Duration = Duration::from_secs(10);

/// What an edge says of a rule that it got first.
#[derive(Debug, Clone, Copy)]
pub(super) enum Says {
    /// There is no such edge any more, or it has lost the rule.
    Gone,
    /// It did not answer.
    Nothing,
    /// What the rule has counted.
    Counts(Counts),
}

/// What to do about a text of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// One edge gets it.
    Begin,
    /// One edge has it, and is watched.
    Wait,
    /// Every edge may have it.
    Everywhere,
    /// This edge loses it, and why.
    TakeBack {
        /// Its name.
        edge: String,
        /// What it cost there.
        why: String,
    },
    /// It was taken back before, and why.
    Refused(String),
}

/// A text in its first edge.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    /// The edge.
    pub(super) edge: String,
    /// The text.
    pub(super) text: String,
    /// The text that was in force there before; none: that of the edge's files, if they have one.
    pub(super) back: Option<String>,
    /// What the rule had counted there at the beginning.
    pub(super) counts: Counts,
    /// The beginning.
    pub(super) since: Instant,
}

/// Every rule that was tried, by its name.
#[derive(Debug, Default)]
pub(super) struct Trials {
    open: BTreeMap<String, Trial>,
    /// The texts that cost little.
    passed: BTreeMap<String, String>,
    /// The texts that were taken back, and why.
    refused: BTreeMap<String, (String, String)>,
}

impl Trials {
    /// None yet.
    pub(super) const fn new() -> Self {
        Self { open: BTreeMap::new(), passed: BTreeMap::new(), refused: BTreeMap::new() }
    }

    /// What to do about this text of a rule at `now`; `says` knows what an edge says of the rule.
    pub(super) fn next(&mut self, rule: &str, text: &str, says: impl Fn(&str) -> Says, now: Instant) -> Step {
        if let Some((_, why)) = self.refused.get(rule).filter(|(refused, _)| refused == text) {
            return Step::Refused(why.clone());
        }
        if self.passed.get(rule).is_some_and(|passed| passed == text) {
            self.open.remove(rule);
            return Step::Everywhere;
        }
        let Some(trial) = self.open.get(rule).filter(|trial| trial.text == text) else {
            return Step::Begin;
        };
        let passed = now - trial.since;
        let counts = match says(&trial.edge) {
            Says::Gone => return Step::Begin,
            // It may be busy with this very rule: nobody else gets it until it answers.
            Says::Nothing => return Step::Wait,
            Says::Counts(counts) => counts,
        };
        if let Some(why) = rule_costs(trial.counts, counts, passed) {
            return Step::TakeBack { edge: trial.edge.clone(), why };
        }
        if passed < WATCHED {
            return Step::Wait;
        }
        self.open.remove(rule);
        self.passed.insert(rule.to_owned(), text.to_owned());
        Step::Everywhere
    }

    /// One edge has got it.
    pub(super) fn begun(&mut self, rule: &str, trial: Trial) {
        // A text that was still on its way when this one came was never in force.
        let back = match self.open.get(rule) {
            Some(open) => open.back.clone(),
            None => trial.back.clone(),
        };
        self.open.insert(rule.to_owned(), Trial { back, ..trial });
    }

    /// The edge has lost it again.
    pub(super) fn taken_back(&mut self, rule: &str, why: String) {
        if let Some(trial) = self.open.remove(rule) {
            self.refused.insert(rule.to_owned(), (trial.text, why));
        }
    }

    /// Nobody wants a text of this rule to be tried any more.
    pub(super) fn forget(&mut self, rule: &str) {
        self.open.remove(rule);
    }

    /// What is under way for a rule.
    pub(super) fn open(&self, rule: &str) -> Option<&Trial> {
        self.open.get(rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "scanners";

    fn counts(overruns: u64) -> Counts {
        Counts { blocked: 0, simulated: 0, overruns, cpu_seconds: 0.0 }
    }

    fn trial(text: &str, back: Option<&str>) -> Trial {
        let (edge, text, back) = ("edge".to_owned(), text.to_owned(), back.map(str::to_owned));
        Trial { edge, text, back, counts: counts(3), since: Instant::now() }
    }

    fn after(trials: &mut Trials, text: &str, says: Says, seconds: u64) -> Step {
        trials.next(RULE, text, |_| says, Instant::now() + Duration::from_secs(seconds))
    }

    #[test]
    fn a_text_that_costs_little_goes_everywhere_after_a_while_and_then_at_once() {
        let mut trials = Trials::new();
        let quiet = Says::Counts(counts(3));
        assert_eq!(after(&mut trials, "new", quiet, 0), Step::Begin);
        trials.begun(RULE, trial("new", None));
        assert_eq!(after(&mut trials, "new", quiet, 5), Step::Wait);
        assert_eq!(after(&mut trials, "new", Says::Nothing, 60), Step::Wait, "it may be busy with it");
        assert_eq!(after(&mut trials, "new", Says::Gone, 60), Step::Begin, "somebody else is first");
        assert_eq!(after(&mut trials, "new", quiet, 11), Step::Everywhere);
        assert_eq!(after(&mut trials, "new", Says::Nothing, 11), Step::Everywhere, "an edge that restarted");
        assert!(trials.open(RULE).is_none());
    }

    #[test]
    fn a_text_that_costs_too_much_is_taken_back_and_not_tried_again() {
        let mut trials = Trials::new();
        trials.begun(RULE, trial("old", None));
        trials.begun(RULE, trial("new", Some("never in force")));
        assert_eq!(trials.open(RULE).and_then(|trial| trial.back.clone()), None);
        let Step::TakeBack { edge, why } = after(&mut trials, "new", Says::Counts(counts(5)), 1) else {
            panic!("not taken back");
        };
        assert_eq!((edge.as_str(), why.starts_with("2 of its searches")), ("edge", true), "{why}");
        trials.taken_back(RULE, why.clone());
        let quiet = Says::Counts(counts(5));
        assert_eq!(after(&mut trials, "new", quiet, 2), Step::Refused(why));
        assert_eq!(after(&mut trials, "newer", quiet, 2), Step::Begin);
    }
}
