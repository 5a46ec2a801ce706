//! Is the canary worse than the baseline? Counts in, an opinion out, as often as one likes.
//!
//! Canary and baseline start at the same time and get the same share of the requests: a cold canary is not compared with a
//! warm fleet. Shares of bad requests are compared by a sequential test ([`evidence`]), so looking every second inflates
//! no false alarms. Requests that one stall has hit are not independent, so the canary has to be worse in most stretches of
//! time as well (`lasting`). What must hold of everything, such as the sum of an order, is judged check by check
//! (`invariant`). Latency is the same test on "slower than" each bound of the histogram; saturation is a ratio that has to
//! last. A signal without data is inconclusive, and a release passes only if every signal does.

mod count;
pub mod evidence;
mod invariant;
mod lasting;
mod latency;
mod opinion;
mod policy;
mod saturation;
mod shares;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

pub use self::{
    count::Count,
    latency::Latency,
    opinion::{Opinion, Signal, Unit, Verdict},
    policy::Policy,
};
use self::{invariant::Invariant, latency::Tail, saturation::Ratios, shares::Share};

/// What one of the two did in a stretch of time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// Requests, and those that failed.
    pub requests: Count,
    /// How long they took.
    pub latency: Latency,
    /// Other shares of bad things, by name, those of invariants included: orders with a wrong total.
    #[serde(default)]
    pub shares: BTreeMap<String, Count>,
    /// How full it is, by name and in any unit: CPU seconds per request, bytes of memory.
    #[serde(default)]
    pub saturation: BTreeMap<String, f64>,
}

/// What happened in a stretch of time. The counts are those of this stretch alone, as differences of counters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// Its end.
    pub until: DateTime<Utc>,
    /// The new version.
    pub canary: Arm,
    /// The old version, started with the canary.
    pub baseline: Arm,
    /// Requests to every instance of the service, those two included.
    pub everyone: u64,
}

/// Judges one step of a release.
#[derive(Debug, Clone)]
pub struct Judge {
    policy: Policy,
    since: DateTime<Utc>,
    /// The level of each test.
    alpha: f64,
    errors: Share,
    others: BTreeMap<String, Share>,
    invariants: BTreeMap<String, Invariant>,
    tail: Tail,
    ratios: BTreeMap<String, Ratios>,
    last: Option<DateTime<Utc>>,
    /// When the newest stretch began.
    stretch: DateTime<Utc>,
}

impl Judge {
    /// A judge of one of `steps` steps, which begins at `since`.
    ///
    /// The tests of all steps and signals share `alpha` of the policy (Bonferroni), so that a release that is no worse than
    /// the old version is failed by chance at most that often, whatever its steps.
    #[must_use]
    pub fn new(policy: &Policy, steps: usize, since: DateTime<Utc>) -> Self {
        let tests = steps.max(1) * (2 + policy.shares.len() + policy.invariants.len());
        let others = policy.shares.iter().map(|name| (name.clone(), Share::default())).collect();
        let invariants = policy.invariants.iter().map(|name| (name.clone(), Invariant::default())).collect();
        let ratios = policy.saturation.keys().map(|name| (name.clone(), Ratios::default())).collect();
        Self {
            policy: policy.clone(),
            since,
            alpha: policy.alpha / tests as f64,
            errors: Share::default(),
            others,
            invariants,
            tail: Tail::default(),
            ratios,
            last: None,
            stretch: since,
        }
    }

    /// Takes the counts of a stretch of time. One that ended before this step began, or that was taken before, counts for nothing.
    pub fn see(&mut self, block: &Block) {
        if block.until <= self.last.unwrap_or(self.since) {
            return;
        }
        self.last = Some(block.until);
        let (canary, baseline) = (&block.canary, &block.baseline);
        self.errors.see(canary.requests, baseline.requests);
        let of = |arm: &Arm, name: &String| arm.shares.get(name).copied().unwrap_or_default();
        for (name, share) in &mut self.others {
            share.see(of(canary, name), of(baseline, name));
        }
        for (name, invariant) in &mut self.invariants {
            invariant.see(of(canary, name), of(baseline, name));
        }
        self.tail.see(&canary.latency, &baseline.latency);
        if block.until - self.stretch >= TimeDelta::from_std(self.policy.stretch).unwrap_or(TimeDelta::MAX) {
            self.stretch = block.until;
            self.errors.end();
            self.others.values_mut().for_each(Share::end);
            self.tail.end();
        }
        for (name, ratios) in &mut self.ratios {
            if let (Some(canary), Some(baseline)) =
                (canary.saturation.get(name), baseline.saturation.get(name))
            {
                ratios.see(*canary, *baseline);
            }
        }
    }

    /// What can be said at `now`.
    #[must_use]
    pub fn opinion(&self, now: DateTime<Utc>) -> Opinion {
        let needed = self.needed();
        let policy = &self.policy;
        let mut signals = vec![self.errors.signal("errors", policy, self.alpha, needed)];
        let others = self.others.iter();
        signals.extend(others.map(|(name, share)| share.signal(name, policy, self.alpha, needed)));
        let invariants = self.invariants.iter();
        signals.extend(invariants.map(|(name, invariant)| invariant.signal(name, policy.rise, self.alpha)));
        signals.push(self.tail.signal(policy, self.alpha, needed));
        let most = |name: &String| policy.saturation.get(name).copied().unwrap_or(f64::INFINITY);
        let ratios = self.ratios.iter();
        signals.extend(ratios.map(|(name, ratios)| ratios.signal(name, most(name), policy.sustained)));
        signals.extend(self.errors.answers(policy.answers));
        Opinion::of(signals, self.waits(now), self.errors.fewest(), needed)
    }

    /// Why it is too early to pass, whatever the signals say.
    fn waits(&self, now: DateTime<Utc>) -> Option<String> {
        let seconds = |time: TimeDelta| time.num_milliseconds() as f64 / 1000.0;
        let elapsed = seconds(now - self.since);
        let hold = self.policy.hold.as_secs_f64();
        let Some(last) = self.last else { return Some("nothing was measured yet".to_owned()) };
        let age = seconds(now - last);
        if age > self.policy.fresh.as_secs_f64() {
            return Some(format!("the newest measurement is {age:.0} s old"));
        }
        (elapsed < hold).then(|| format!("the step lasts {hold:.0} s, of which {elapsed:.0} s are over"))
    }

    /// How many requests each of the two needs before "no difference was found" means something. A rise is counted from the
    /// better of the two: a version that repairs something is known sooner than one that is as bad as the old one.
    fn needed(&self) -> u64 {
        evidence::needed(self.errors.lower().unwrap_or(0.0), self.policy.rise, self.alpha)
    }
}
