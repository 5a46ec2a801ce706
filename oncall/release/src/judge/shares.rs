//! A share of bad requests, of the canary and of the baseline.

use super::{Count, Policy, Signal, Unit, Verdict, evidence, lasting::Case};

/// Evidence of this much is too much to pass: the bet has grown tenfold.
pub(super) const DOUBT: f64 = std::f64::consts::LN_10;

/// Requests of the baseline from which on it is known whether the canary answers.
const ENOUGH: u64 = 100;

/// What is known of one share.
#[derive(Debug, Clone, Default)]
pub(super) struct Share {
    canary: Count,
    baseline: Count,
    case: Case,
}

impl Share {
    pub(super) fn see(&mut self, canary: Count, baseline: Count) {
        self.canary.add(canary);
        self.baseline.add(baseline);
        self.case.see(canary, baseline);
    }

    /// A stretch of time is over.
    pub(super) fn end(&mut self) {
        self.case.end();
    }

    /// The share of the better of the two.
    pub(super) fn lower(&self) -> Option<f64> {
        Some(self.canary.share()?.min(self.baseline.share()?))
    }

    /// Requests of the one that has fewer.
    pub(super) fn fewest(&self) -> u64 {
        self.canary.all.min(self.baseline.all)
    }

    /// Whether the canary answers: at least this share of the requests that the baseline answers. One that hangs, or that the edge
    /// has given up on, counts no failure itself.
    pub(super) fn answers(&self, least: f64) -> Option<Signal> {
        if least <= 0.0 || self.baseline.all < ENOUGH {
            return None;
        }
        let (canary, baseline) = (self.canary.all as f64, self.baseline.all as f64);
        Some(Signal {
            name: "answers".to_owned(),
            unit: Unit::Level,
            canary: Some(canary),
            baseline: Some(baseline),
            p: None,
            alpha: None,
            verdict: if canary < least * baseline { Verdict::Fail } else { Verdict::Pass },
            why: format!("{} requests, and {} of the baseline", self.canary.all, self.baseline.all),
        })
    }

    pub(super) fn signal(&self, name: &str, policy: &Policy, alpha: f64, needed: u64) -> Signal {
        let (verdict, why) = self.verdict(policy, alpha, needed);
        Signal {
            name: name.to_owned(),
            unit: Unit::Share,
            canary: self.canary.share(),
            baseline: self.baseline.share(),
            p: Some(evidence::p(self.case.strength_or_outright())),
            alpha: Some(alpha),
            verdict,
            why,
        }
    }

    fn verdict(&self, policy: &Policy, alpha: f64, needed: u64) -> (Verdict, String) {
        let (Some(canary), Some(baseline)) = (self.canary.share(), self.baseline.share()) else {
            return (Verdict::Inconclusive, "no requests to compare".to_owned());
        };
        let rise = canary - baseline;
        let shares = format!("{:.2} % against {:.2} %", canary * 100.0, baseline * 100.0);
        if self.case.strength_or_outright() >= -alpha.ln() && rise >= policy.tolerance {
            return (Verdict::Fail, shares);
        }
        let fewest = self.fewest();
        if fewest < needed {
            return (Verdict::Inconclusive, format!("{shares}, of {fewest} requests; {needed} are needed"));
        }
        if rise >= policy.rise {
            let most = policy.rise * 100.0;
            return (
                Verdict::Inconclusive,
                format!("{shares}: a rise of {most:.1} points or more, which may be chance"),
            );
        }
        if self.case.suspicion() >= DOUBT && rise >= policy.tolerance {
            return (Verdict::Inconclusive, format!("{shares}: unlikely to be chance, but possible"));
        }
        (Verdict::Pass, shares)
    }
}
