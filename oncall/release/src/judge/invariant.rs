//! Does everything hold that must hold? No breach is normal, so this is judged more strictly than a share of errors.
//!
//! No stall makes a total wrong: each check is a coin of its own, so the evidence by checks alone decides, and breaches need not
//! last. A dozen of the canary, and none of the baseline, are enough. Fewer keep the step from passing, unless the baseline has
//! as many: then it is not the new version that breaks it.

use std::mem;

use super::{
    Count, Signal, Unit, Verdict,
    evidence::{self, Evidence},
};

/// The chance that a step with [`needed`] checks and no breach has missed a share of breaches that is the rise of the policy.
const MISSED: f64 = 0.05;

/// What is known of one invariant.
#[derive(Debug, Clone, Default)]
pub(super) struct Invariant {
    canary: Count,
    baseline: Count,
    /// Those of the one that has some, while the other has none since the last comparison: there are few checks per second.
    waiting: (Count, Count),
    evidence: Evidence,
}

/// How many checks without a breach rule out that a share of `rise` is broken: the "rule of three", about 3 / `rise`.
fn needed(rise: f64) -> u64 {
    (MISSED.ln() / (1.0 - rise.clamp(0.001, 0.9)).ln()).ceil().max(1.0) as u64
}

impl Invariant {
    pub(super) fn see(&mut self, canary: Count, baseline: Count) {
        self.canary.add(canary);
        self.baseline.add(baseline);
        let (new, old) = &mut self.waiting;
        new.add(canary);
        old.add(baseline);
        if new.all > 0 && old.all > 0 {
            let (new, old) = mem::take(&mut self.waiting);
            self.evidence.see(new, old);
        }
    }

    pub(super) fn signal(&self, name: &str, rise: f64, alpha: f64) -> Signal {
        let (verdict, why) = self.verdict(rise, alpha);
        Signal {
            name: name.to_owned(),
            unit: Unit::Share,
            canary: self.canary.share(),
            baseline: self.baseline.share(),
            p: Some(evidence::p(self.evidence.ln())),
            alpha: Some(alpha),
            verdict,
            why,
        }
    }

    fn verdict(&self, rise: f64, alpha: f64) -> (Verdict, String) {
        let (Some(canary), Some(baseline)) = (self.canary.share(), self.baseline.share()) else {
            return (Verdict::Inconclusive, "nothing was checked of one of the two".to_owned());
        };
        let found = |count: Count| format!("{} of {}", count.bad, count.all);
        let counts = format!("{} against {}", found(self.canary), found(self.baseline));
        if canary > baseline && self.evidence.ln() >= -alpha.ln() {
            return (Verdict::Fail, counts);
        }
        let (fewest, needed) = (self.canary.all.min(self.baseline.all), needed(rise));
        if fewest < needed {
            return (Verdict::Inconclusive, format!("{counts}; {needed} have to be checked"));
        }
        if canary > baseline {
            return (Verdict::Inconclusive, format!("{counts}: none is normal, but it may be chance"));
        }
        (Verdict::Pass, counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After `all` checks of each of the two, of which these were broken.
    fn after(canary: u64, baseline: u64, all: u64) -> Verdict {
        let mut invariant = Invariant::default();
        invariant.see(Count { bad: canary, all }, Count { bad: baseline, all });
        invariant.verdict(0.03, 0.01 / 9.0).0
    }

    #[test]
    fn a_dozen_breaches_are_enough_and_one_is_too_many_to_pass() {
        assert_eq!(needed(0.03), 99);
        for (canary, baseline, all, verdict) in [
            (8, 0, 8, Verdict::Fail),
            (11, 0, 22, Verdict::Fail),
            (14, 0, 1350, Verdict::Fail),
            (1, 0, 1000, Verdict::Inconclusive),
            (0, 0, 98, Verdict::Inconclusive),
            (0, 0, 99, Verdict::Pass),
        ] {
            assert_eq!(after(canary, baseline, all), verdict, "{canary} and {baseline} of {all}");
        }
    }

    #[test]
    fn checks_that_come_one_by_one_are_as_much_evidence_as_those_that_come_together() {
        let mut invariant = Invariant::default();
        for _ in 0..12 {
            invariant.see(Count { bad: 1, all: 1 }, Count::default());
            invariant.see(Count::default(), Count { bad: 0, all: 1 });
        }
        assert_eq!(invariant.verdict(0.03, 0.01 / 9.0).0, Verdict::Fail);
    }

    #[test]
    fn what_the_old_version_breaks_too_is_not_the_new_ones_fault() {
        assert_eq!(after(200, 200, 400), Verdict::Pass);
        assert_eq!(after(0, 200, 400), Verdict::Pass);
        assert_eq!(after(400, 200, 400), Verdict::Fail);
    }
}
