//! How long requests took: histograms, and whether the canary's lie higher.

use serde::{Deserialize, Serialize};

use super::{
    Count, Policy, Signal, Unit, Verdict,
    evidence::{self, ln_mean},
    lasting::Case,
    shares::DOUBT,
};

/// The quantiles that are compared.
const QUANTILES: [f64; 3] = [0.5, 0.95, 0.99];

/// A histogram. Its counts are not cumulative.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Upper bounds in seconds, ascending, each with the number of requests between the bound before and itself.
    pub buckets: Vec<(f64, u64)>,
    /// Requests that took longer than the last bound.
    pub over: u64,
}

impl Latency {
    /// How many requests there are.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.buckets.iter().map(|(_, count)| count).sum::<u64>() + self.over
    }

    /// Those that took longer than `bound` seconds, one of the bounds.
    #[must_use]
    pub fn slower_than(&self, bound: f64) -> Count {
        let fast: u64 =
            self.buckets.iter().filter(|(upper, _)| *upper <= bound).map(|(_, count)| count).sum();
        let all = self.all();
        Count { bad: all - fast, all }
    }

    /// The quantile in seconds, interpolated within its bucket as Prometheus does; at most the last bound.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<f64> {
        self.place(share).map(|place| place.seconds)
    }

    /// The quantile and its bucket.
    fn place(&self, share: f64) -> Option<Place> {
        let rank = share.clamp(0.0, 1.0) * self.all() as f64;
        let (mut below, mut lower) = (0.0, 0.0);
        for (upper, count) in &self.buckets {
            let within = *count as f64;
            if within > 0.0 && below + within >= rank {
                let seconds = lower + (upper - lower) * ((rank - below) / within).clamp(0.0, 1.0);
                return Some(Place { seconds, lower, upper: *upper });
            }
            (below, lower) = (below + within, *upper);
        }
        (self.over > 0).then_some(Place { seconds: lower, lower, upper: f64::INFINITY })
    }

    /// Adds the counts of another one; false if it has other bounds.
    fn add(&mut self, other: &Self) -> bool {
        if self.buckets.is_empty() {
            self.buckets = other.buckets.iter().map(|(upper, _)| (*upper, 0)).collect();
        }
        if !self.alike(other) {
            return false;
        }
        for ((_, count), (_, more)) in self.buckets.iter_mut().zip(&other.buckets) {
            *count += more;
        }
        self.over += other.over;
        true
    }

    fn alike(&self, other: &Self) -> bool {
        let bounds =
            |latency: &Self| latency.buckets.iter().map(|(upper, _)| upper.to_bits()).collect::<Vec<_>>();
        bounds(self) == bounds(other)
    }
}

/// Where a quantile lies, in seconds.
struct Place {
    seconds: f64,
    /// The lower bound of its bucket.
    lower: f64,
    /// The upper bound of its bucket.
    upper: f64,
}

/// What is known of the two.
///
/// One sequential test for each bound, on the share that is slower; their mean is a test, too. So nobody has to say in
/// advance at which quantile a bad version will show.
#[derive(Debug, Clone, Default)]
pub(super) struct Tail {
    canary: Latency,
    baseline: Latency,
    cases: Vec<Case>,
    /// The two have different bounds: they cannot be compared.
    differ: bool,
}

impl Tail {
    pub(super) fn see(&mut self, canary: &Latency, baseline: &Latency) {
        if canary.all() == 0 || baseline.all() == 0 {
            return;
        }
        if !canary.alike(baseline) || !self.canary.add(canary) || !self.baseline.add(baseline) {
            self.differ = true;
            return;
        }
        self.cases.resize_with(canary.buckets.len(), Case::default);
        for (case, (bound, _)) in self.cases.iter_mut().zip(&canary.buckets) {
            case.see(canary.slower_than(*bound), baseline.slower_than(*bound));
        }
    }

    /// A stretch of time is over.
    pub(super) fn end(&mut self) {
        self.cases.iter_mut().for_each(Case::end);
    }

    /// The logarithm of the evidence of all bounds.
    fn ln(&self, of: fn(&Case) -> f64) -> f64 {
        ln_mean(&self.cases.iter().map(of).collect::<Vec<_>>())
    }

    pub(super) fn signal(&self, policy: &Policy, alpha: f64, needed: u64) -> Signal {
        let (verdict, why) = self.verdict(policy, alpha, needed);
        Signal {
            name: "latency".to_owned(),
            unit: Unit::Seconds,
            canary: self.canary.quantile(0.99),
            baseline: self.baseline.quantile(0.99),
            p: Some(evidence::p(self.ln(Case::strength))),
            alpha: Some(alpha),
            verdict,
            why,
        }
    }

    fn verdict(&self, policy: &Policy, alpha: f64, needed: u64) -> (Verdict, String) {
        if self.differ {
            let why = "the histograms of the two versions have different bounds".to_owned();
            return (Verdict::Inconclusive, why);
        }
        let (Some(canary), Some(baseline)) = (self.canary.quantile(0.99), self.baseline.quantile(0.99))
        else {
            return (Verdict::Inconclusive, "no requests to compare".to_owned());
        };
        let slow = |latency: &Latency| latency.slower_than(policy.objective).share().unwrap_or(0.0);
        let (objective, slow) = (policy.objective * 1000.0, (slow(&self.canary), slow(&self.baseline)));
        let numbers = format!(
            "p99 {:.0} ms against {:.0} ms, {:.2} % over {objective:.0} ms against {:.2} %",
            canary * 1000.0,
            baseline * 1000.0,
            slow.0 * 100.0,
            slow.1 * 100.0,
        );
        let matters = |of: fn(&Case) -> f64, least: f64| {
            let over = slow.0 - slow.1 >= policy.tolerance && self.at(policy.objective, of) >= least;
            let slower = over || self.is_slower(policy.slower, of, least);
            self.ln(of) >= least && slower
        };
        if matters(Case::strength, -alpha.ln()) {
            return (Verdict::Fail, numbers);
        }
        let fewest = self.canary.all().min(self.baseline.all());
        if fewest < needed {
            return (Verdict::Inconclusive, format!("{numbers}, of {fewest} requests; {needed} are needed"));
        }
        if slow.0 - slow.1 >= policy.rise {
            let most = policy.rise * 100.0;
            let why = format!("{numbers}: a rise of {most:.1} points or more, which may be chance");
            return (Verdict::Inconclusive, why);
        }
        if matters(Case::suspicion, DOUBT) {
            return (Verdict::Inconclusive, format!("{numbers}: unlikely to be chance, but possible"));
        }
        (Verdict::Pass, numbers)
    }

    /// The logarithm of the evidence at this number of seconds, or at the next lower bound: requests that differ elsewhere are
    /// none that more of them are slower than the objective.
    fn at(&self, seconds: f64, of: fn(&Case) -> f64) -> f64 {
        let mut bounds = self.cases.iter().zip(&self.canary.buckets);
        bounds.rfind(|(_, (bound, _))| *bound <= seconds).map_or(0.0, |(case, _)| of(case))
    }

    /// Whether a quantile is at least this number of times that of the baseline, and there is this much evidence at a bound
    /// between the two: that requests differ elsewhere says nothing about it. In different buckets, nor does the lower bound
    /// of the baseline's: both quantiles lie above it.
    fn is_slower(&self, times: f64, of: fn(&Case) -> f64, least: f64) -> bool {
        QUANTILES.iter().any(|share| {
            let (Some(canary), Some(baseline)) = (self.canary.place(*share), self.baseline.place(*share))
            else {
                return false;
            };
            let apart = baseline.upper <= canary.lower;
            let lowest = if apart { baseline.upper } else { baseline.lower };
            let between = lowest..=canary.upper;
            let mut bounds = self.cases.iter().zip(&self.canary.buckets);
            canary.seconds >= baseline.seconds * times
                && bounds.any(|(case, (bound, _))| between.contains(bound) && of(case) >= least)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_prometheus() {
        let latency = Latency { buckets: vec![(0.1, 50), (0.25, 40), (0.5, 8)], over: 2 };
        assert_eq!(latency.all(), 100);
        assert_eq!(latency.quantile(0.25), Some(0.05));
        assert_eq!(latency.quantile(0.5), Some(0.1));
        assert!((latency.quantile(0.7).unwrap() - 0.175).abs() < 1e-9);
        assert_eq!(latency.quantile(0.99), Some(0.5));
        assert_eq!(latency.slower_than(0.25), Count { bad: 10, all: 100 });
        assert_eq!(Latency::default().quantile(0.5), None);
    }

    #[test]
    fn histograms_with_other_bounds_are_not_compared() {
        let mut tail = Tail::default();
        let a = Latency { buckets: vec![(0.1, 500)], over: 0 };
        let b = Latency { buckets: vec![(0.2, 500)], over: 0 };
        tail.see(&a, &b);
        let signal = tail.signal(&Policy::default(), 0.001, 10);
        assert_eq!(signal.verdict, Verdict::Inconclusive);
        assert!(signal.why.contains("bounds"), "{}", signal.why);
    }

    /// Stretches of 40 requests to each of the two, of which these took 300 ms, and the others 50 ms.
    fn after(stretches: &[(u64, u64)]) -> Tail {
        let of = |slow| Latency { buckets: vec![(0.1, 40 - slow), (0.25, 0), (0.5, slow)], over: 0 };
        let mut tail = Tail::default();
        for (canary, baseline) in stretches {
            tail.see(&of(*canary), &of(*baseline));
            tail.end();
        }
        tail
    }

    #[test]
    fn a_canary_that_stalls_by_itself_now_and_then_does_not_pass() {
        // All that is slow of one second in twenty; else each of the two is the slower one as often.
        let of = |slow: u64| {
            let (stall, new, old) = ((slow, 0), (1, 0), (0, 1));
            let stretches = [stall, new, old, new, old, stall, old, new, old, old].repeat(6);
            after(&stretches).signal(&Policy::default(), 0.001, 1000)
        };
        let stalled = of(10);
        assert_eq!(stalled.verdict, Verdict::Inconclusive, "{}", stalled.why);
        assert!(stalled.why.contains("a rise of 3.0 points"), "{}", stalled.why);
        assert_eq!(of(1).verdict, Verdict::Pass, "{}", of(1).why);
    }
}
