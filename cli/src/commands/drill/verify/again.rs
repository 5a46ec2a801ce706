//! What failed beside other labs may have failed because of them: it is proven once more when no other lab is busy. That hides
//! no failure: every report names the drills that passed only alone, each with its first failure.

use std::collections::BTreeSet;

use super::{
    Verify, junit,
    papers::Papers,
    proof::{Proof, base},
    run::{NEVER, Responder},
};
use crate::terminal::say;

impl Verify {
    /// The drills that are proven when no other lab is busy: those that failed, and those that were left because their lab could
    /// not continue. Those that were left are not left any longer.
    pub(super) fn again(&self, papers: &mut Papers) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        // Without the solution, most drills have to fail.
        if self.responder == Responder::Solution {
            names.extend(papers.failed().map(str::to_owned));
        }
        if !names.is_empty() {
            say(format_args!("failed beside other labs, and proven once more alone: {}", names.join(", ")));
        }
        for name in papers.left.drain(..) {
            let drill = base(&name).to_owned();
            if !names.contains(&drill) {
                names.push(drill);
            }
        }
        names
    }
}

impl Papers {
    /// The drills that failed, with an action item or without one; each once. None if no other lab was busy: they ran alone. One
    /// that can never run here cannot run alone either.
    fn failed(&self) -> impl Iterator<Item = &str> {
        let mut known = BTreeSet::new();
        let never = |proof: &Proof| proof.refused.as_ref().is_some_and(|why| why.contains(NEVER));
        let failed = self.proofs.iter().filter(move |proof| self.beside && proof.failed() && !never(proof));
        failed.map(|proof| base(&proof.drill)).filter(move |drill| known.insert(*drill))
    }

    /// Both, if `alone` was proven later and with no other lab busy: what it says of a drill replaces what was said before.
    pub(super) fn then(mut self, mut alone: Self) -> Self {
        let again: BTreeSet<String> = self.proofs.iter().map(|proof| base(&proof.drill).to_owned()).collect();
        for drill in again {
            let is_own = |proof: &Proof| base(&proof.drill) == drill;
            if !alone.proofs.iter().any(|proof| is_own(proof) && !proof.skipped()) {
                // What was skipped later says nothing, and does not hide a failure.
                alone.forget(&drill);
                continue;
            }
            let failed = self.proofs.iter().filter(|proof| is_own(proof) && proof.failed());
            let failed: Vec<(String, String)> =
                failed.map(|proof| (proof.drill.clone(), proof.why())).collect();
            self.forget(&drill);
            for (name, first) in failed {
                let Some(proof) = alone.proofs.iter_mut().find(|proof| proof.drill == name) else { continue };
                if proof.passed() {
                    alone.junit.push(junit::only_alone(&name, &first));
                }
                proof.beside = Some(first);
            }
        }
        // What failed and was not run a second time was run once. What passed was left because of an action item.
        alone
            .left
            .retain(|name| !self.proofs.iter().any(|proof| proof.failed() && base(&proof.drill) == *name));
        self.and(alone)
    }

    /// Takes out what is said of a drill. The reports of its runs stay.
    fn forget(&mut self, drill: &str) {
        self.proofs.retain(|proof| base(&proof.drill) != drill);
        self.junit.retain(|document| !junit::is_of(document, drill));
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            alone::{only_alone, section},
            proof::tests::proof,
        },
        *,
    };
    use crate::commands::drill::view::Failure;

    fn of(drill: &str, verdict: &str) -> Proof {
        let (condition, expected) = ("Burn pages".to_owned(), "within 20 s".to_owned());
        let failure = Failure { condition, expected, seen: "never".to_owned(), ..Failure::default() };
        let failures = if verdict == "failed" { vec![failure] } else { Vec::new() };
        Proof { drill: drill.to_owned(), verdict: verdict.to_owned(), failures, ..proof(Vec::new()) }
    }

    fn papers(proofs: &[(&str, &str)]) -> Papers {
        let suite =
            |drill: &str| format!("<testsuites><testsuite name=\"{drill}\"></testsuite></testsuites>");
        Papers {
            proofs: proofs.iter().map(|(drill, verdict)| of(drill, verdict)).collect(),
            junit: proofs.iter().map(|(drill, _)| suite(drill)).collect(),
            markdown: proofs.iter().map(|(drill, _)| format!("# {drill}")).collect(),
            beside: true,
            ..Papers::default()
        }
    }

    fn verdicts(papers: &Papers) -> Vec<(&str, &str)> {
        papers.proofs.iter().map(|proof| (proof.drill.as_str(), proof.verdict.as_str())).collect()
    }

    #[test]
    fn what_passes_only_alone_passes_and_its_first_failure_is_in_every_report() {
        let first = papers(&[("noon", "failed"), ("dusk", "passed"), ("noon-2", "failed")]);
        assert_eq!(first.failed().collect::<Vec<_>>(), ["noon", "noon-2"]);
        let both = first.then(papers(&[("full-house", "passed"), ("noon", "passed"), ("noon-2", "failed")]));
        let expected =
            [("dusk", "passed"), ("full-house", "passed"), ("noon", "passed"), ("noon-2", "failed")];
        assert_eq!(verdicts(&both), expected);
        let why = "failed: Burn pages (expected: within 20 s; seen: never)";
        assert_eq!(only_alone(&both.proofs).collect::<Vec<_>>(), [("noon", why)]);
        assert_eq!(
            section(&both.proofs),
            format!("\n## Passed only alone\n\n- `noon`; beside other labs: {why}\n")
        );
        assert_eq!(both.junit.len(), 5, "one for each, and one for the first failure: {:?}", both.junit);
        assert!(both.junit.iter().any(|one| one.contains("skipped=\"1\"") && one.contains("Burn pages")));
        assert!(both.markdown.contains(&"# noon".to_owned()), "the report of the first failure stays");
    }

    #[test]
    fn an_action_item_that_failed_is_proven_again_with_its_drill() {
        let first = papers(&[("noon", "passed"), ("noon with canary", "failed"), ("dusk", "passed")]);
        assert_eq!(first.failed().collect::<Vec<_>>(), ["noon"]);
        let both = first.then(papers(&[("noon", "passed"), ("noon with canary", "failed")]));
        let expected = [("dusk", "passed"), ("noon", "passed"), ("noon with canary", "failed")];
        assert_eq!(verdicts(&both), expected);
        assert_eq!(both.junit.len(), 3, "it did not pass alone either: {:?}", both.junit);
        assert_eq!(only_alone(&both.proofs).count(), 0);
    }

    #[test]
    fn what_is_skipped_or_not_proven_again_stays_as_it_was() {
        let left = ["dusk", "dawn"].map(str::to_owned).to_vec();
        let alone = Papers { left, ..papers(&[("noon", "skipped")]) };
        let both = papers(&[("noon", "failed"), ("dusk", "failed")]).then(alone);
        assert_eq!(verdicts(&both), [("noon", "failed"), ("dusk", "failed")]);
        assert_eq!((both.junit.len(), section(&both.proofs)), (2, String::new()));
        assert_eq!(both.left, ["dawn"], "the other one failed");
        let why = Some(format!("this drill {NEVER}: it needs a cluster"));
        let never = Papers { proofs: vec![Proof { refused: why, ..of("noon", "refused") }], ..both };
        assert_eq!(never.failed().count(), 0);
    }

    #[test]
    fn what_failed_with_no_other_lab_busy_is_not_proven_again() {
        let alone = Papers { beside: false, ..papers(&[("noon", "failed")]) };
        assert_eq!(alone.failed().count(), 0);
        let both = alone.and(papers(&[("dusk", "passed")]));
        assert_eq!(both.failed().collect::<Vec<_>>(), ["noon"]);
    }

    #[test]
    fn a_drill_that_passed_is_still_left_if_its_action_item_was() {
        let alone = Papers { left: vec!["noon".to_owned()], ..Papers::default() };
        assert_eq!(papers(&[("noon", "passed")]).then(alone).left, ["noon"]);
    }
}
