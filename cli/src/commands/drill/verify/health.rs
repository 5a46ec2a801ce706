//! Whether a lab still begins drills. One that refuses them would use up the queue of all lanes in seconds, and one that is not
//! healthy before any of them takes minutes for each.

use std::collections::BTreeSet;

use anyhow::{Error, anyhow};

use super::{
    proof::{Proof, base},
    run::NEVER,
};

/// The phase in which a run waits for a healthy system.
const BASELINE: &str = "baseline";

/// What is known of a lab from the last drill that it was given.
#[derive(Debug, Default)]
pub(in crate::commands::drill) struct Health {
    /// A drill that proved nothing, and why.
    ill: Option<(String, BTreeSet<String>)>,
}

impl Health {
    /// Notes what came of a drill. If two in a row proved nothing for the same reason, it is the lab and not a drill: then this
    /// says why no further one is worth its time.
    pub(in crate::commands::drill) fn note(&mut self, proof: &Proof) -> Option<Error> {
        let refused = proof.refused.as_deref().unwrap_or_default();
        // That the lab lacks something says nothing of what it has.
        if proof.skipped() || refused.contains(NEVER) {
            return None;
        }
        let drill = base(&proof.drill);
        let reasons = reasons(proof);
        if reasons.is_empty() {
            self.ill = None;
            return None;
        }
        let before = self.ill.replace((drill.to_owned(), reasons.clone()));
        let (_, known) = before.filter(|(other, _)| other != drill)?;
        let same: Vec<&str> = known.intersection(&reasons).map(String::as_str).collect();
        let said = if refused.is_empty() { same.join(", ") } else { refused.to_owned() };
        let sick = || anyhow!("this lab begins no drill any more ({said}): see lab drill status, lab status");
        (!same.is_empty()).then(sick)
    }
}

/// Why a proof says nothing of its drill; nothing if it says something.
fn reasons(proof: &Proof) -> BTreeSet<String> {
    let before = proof.failures.iter().filter(|failure| failure.phase == BASELINE);
    match proof.verdict.as_str() {
        // Without numbers: that of an incident or a run makes no other reason.
        "refused" => {
            let said = proof.refused.iter().flat_map(|why| why.chars());
            BTreeSet::from([said.filter(|letter| !letter.is_ascii_digit()).collect::<String>()])
        }
        "invalid" => before.map(|failure| failure.condition.clone()).collect(),
        // Given up: who aborts a run says why, and so does a drill that goes too far.
        "aborted" if proof.failures.is_empty() => BTreeSet::from([proof.verdict.clone()]),
        _ => BTreeSet::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::proof::tests::proof, *};
    use crate::commands::drill::view::Failure;

    fn of(drill: &str, verdict: &str, conditions: &[&str]) -> Proof {
        let failure = |condition: &&str| {
            let (phase, condition) = (BASELINE.to_owned(), (*condition).to_owned());
            Failure { phase, condition, ..Failure::default() }
        };
        let failures = conditions.iter().map(failure).collect();
        Proof { drill: drill.to_owned(), verdict: verdict.to_owned(), failures, ..proof(Vec::new()) }
    }

    /// What is said after each of these.
    fn said(proofs: &[Proof]) -> Vec<Option<String>> {
        let mut health = Health::default();
        proofs.iter().map(|proof| health.note(proof).map(|why| why.to_string())).collect()
    }

    #[test]
    fn two_drills_that_a_lab_does_not_begin_for_one_reason_are_enough() {
        let busy = "somebody works on INC-1";
        let refused = |drill: &str| Proof { refused: Some(busy.to_owned()), ..of(drill, "refused", &[]) };
        let sick = "this lab begins no drill any more (somebody works on INC-1): \
                    see lab drill status, lab status";
        assert_eq!(said(&[refused("a"), refused("b")]), [None, Some(sick.to_owned())]);
        assert_eq!(said(&[refused("a"), of("b", "failed", &["x"]), refused("c")]), [None, None, None]);
        let alerts = "no alert fires";
        let ill = said(&[of("a", "invalid", &[alerts, "x"]), of("b", "invalid", &["y", alerts])]);
        assert!(ill[1].as_ref().is_some_and(|why| why.contains("(no alert fires)")), "{ill:?}");
        assert!(said(&[of("a", "aborted", &[]), of("b", "aborted", &[])])[1].is_some(), "two resets hang");
    }

    #[test]
    fn what_may_be_the_fault_of_a_drill_is_none_of_its_lab() {
        let ill = |first: Proof, second: Proof| said(&[first, second])[1].is_some();
        assert!(!ill(of("a", "invalid", &["x"]), of("b", "invalid", &["y"])), "each for its own reason");
        assert!(!ill(of("a", "invalid", &["x"]), of("a with b", "invalid", &["x"])), "one drill");
        let disturbed = |drill: &str| {
            let mut proof = of(drill, "invalid", &["nobody else changes the system"]);
            proof.failures[0].phase = "observe".to_owned();
            proof
        };
        assert!(!ill(disturbed("a"), disturbed("b")), "somebody acted, after they had begun");
        assert!(!ill(of("a", "aborted", &["x"]), of("b", "aborted", &["x"])), "both went too far");
        let never = |drill: &str| {
            let why = format!("this drill {NEVER}: it needs a cluster");
            Proof { refused: Some(why), ..of(drill, "refused", &[]) }
        };
        assert!(!ill(never("a"), never("b")));
        let refused =
            |drill: &str, why: &str| Proof { refused: Some(why.to_owned()), ..of(drill, "refused", &[]) };
        let works = ["somebody works on INC-1", "somebody works on INC-2", "there is no drill `b`"];
        assert!(!ill(refused("a", works[0]), refused("b", works[2])), "each for its own reason");
        assert!(ill(refused("a", works[0]), refused("b", works[1])), "one reason");
    }
}
