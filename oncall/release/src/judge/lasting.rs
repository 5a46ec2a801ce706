//! Is the canary worse, stretch of time by stretch of time? For requests that are not independent.
//!
//! One stall slows or fails many requests of one instance at once. A test that takes each of them for a coin of its own is
//! sure of a difference that was one bad second. Here, a whole stretch is one coin: which of the two did worse in it? If
//! neither version is worse, a stall that is over within a stretch hits each of them equally often, so the coin is fair, no
//! matter how many requests it hit. It is fair because the edge gives both the same number of requests: a share of fewer ones
//! is more often 0, and more often extreme. Stretches in which both did equally well, or that have few requests, do not count.
//!
//! The bet is a mixture of bets on the shares [`WINS`] of coins that fall on the canary. It is an e-process, as
//! [`super::evidence`] is: nobody can expect to win with fair coins, so one may look at any time. The smaller one of two
//! e-processes is one for each of their hypotheses, so evidence that is strong by both measures holds with stalls and without.

use std::{cmp::Ordering, mem};

use super::{
    Count,
    evidence::{Evidence, ln_mean},
};

/// Shares of stretches in which the canary is worse that are bet on.
const WINS: [f64; 3] = [0.75, 0.9, 0.97];
/// A stretch continues until both versions have had this many requests.
const FEWEST: u64 = 5;
/// Stretches that decide whether a suspicion is refuted.
const DECIDED: u32 = 12;
/// It is refuted if the canary was worse in less than this share of them: 0.5 is chance.
const OFTEN: f64 = 0.6;
/// It is not refuted while it was worse in as many as these in a row, up to now: a long good time says nothing about a version
/// that has just broken. Fair coins fall like that once in sixteen times, which only lets a good version wait.
const TURNED: u32 = 4;
/// A share of bad requests that is higher by this much in each of [`ROW`] stretches needs no more of them: no stall lasts
/// that long, and half of the canary's users are hurt.
const OUTRIGHT: f64 = 0.5;
/// See [`OUTRIGHT`].
const ROW: usize = 3;

/// What speaks against the canary, of one kind of bad requests.
#[derive(Debug, Clone, Default)]
pub(super) struct Case {
    /// Request by request.
    evidence: Evidence,
    /// The logarithm of each bet on stretches.
    bets: [f64; WINS.len()],
    /// The canary in the stretch that is not over.
    canary: Count,
    /// The baseline in it.
    baseline: Count,
    /// Stretches in which the canary was worse.
    worse: u32,
    /// Stretches in which it was better.
    better: u32,
    /// How many of them in a row, up to now, were worse.
    turned: u32,
    /// How many stretches in a row, up to now, were worse outright.
    row: usize,
}

impl Case {
    /// Takes the counts of the next requests.
    pub(super) fn see(&mut self, canary: Count, baseline: Count) {
        self.evidence.see(canary, baseline);
        self.canary.add(canary);
        self.baseline.add(baseline);
    }

    /// The stretch is over.
    pub(super) fn end(&mut self) {
        if self.canary.all.min(self.baseline.all) < FEWEST {
            return;
        }
        let (canary, baseline) = (mem::take(&mut self.canary), mem::take(&mut self.baseline));
        let (Some(canary), Some(baseline)) = (canary.share(), baseline.share()) else { return };
        self.row = if canary - baseline >= OUTRIGHT { self.row + 1 } else { 0 };
        let worse = match canary.total_cmp(&baseline) {
            Ordering::Greater => true,
            Ordering::Less => false,
            Ordering::Equal => return,
        };
        *(if worse { &mut self.worse } else { &mut self.better }) += 1;
        self.turned = if worse { self.turned + 1 } else { 0 };
        for (bet, win) in self.bets.iter_mut().zip(WINS) {
            *bet += (2.0 * if worse { win } else { 1.0 - win }).ln();
        }
    }

    /// The natural logarithm of the evidence now, by requests and by stretches; 0 before anything was seen.
    pub(super) fn strength(&self) -> f64 {
        self.evidence.ln().min(ln_mean(&self.bets))
    }

    /// The same, but by requests alone once the canary is worse outright, however good it was before.
    pub(super) fn strength_or_outright(&self) -> f64 {
        if self.is_outright() { self.evidence.ln() } else { self.strength() }
    }

    /// The evidence by requests alone: too little to fail, and enough to wait, unless enough stretches refute it.
    pub(super) fn suspicion(&self) -> f64 {
        let ln = self.evidence.ln();
        if self.is_refuted() { ln.min(0.0) } else { ln }
    }

    /// Whether the canary has been worse by half of all requests for several stretches.
    fn is_outright(&self) -> bool {
        self.row >= ROW
    }

    fn is_refuted(&self) -> bool {
        let decided = self.worse + self.better;
        decided >= DECIDED && f64::from(self.worse) < OFTEN * f64::from(decided) && self.turned < TURNED
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// After stretches of 100 requests to each of the two, of which these were bad.
    fn after(stretches: &[(u64, u64)]) -> Case {
        let mut case = Case::default();
        for (canary, baseline) in stretches {
            case.see(Count { bad: *canary, all: 100 }, Count { bad: *baseline, all: 100 });
            case.end();
        }
        case
    }

    #[test]
    fn one_stretch_is_one_coin_however_many_requests_it_hit() {
        let burst = after(&[(40, 0), (0, 0), (0, 0)]);
        assert!(burst.suspicion() > 10.0, "{burst:?}");
        assert!(burst.strength() < 1.0, "{burst:?}");
        let lasts = after(&[(3, 0); 14]);
        assert!(lasts.strength() > 6.4, "{lasts:?}");
    }

    #[test]
    fn equal_stretches_and_those_with_few_requests_do_not_count() {
        let equal = after(&[(7, 7); 50]);
        assert_eq!((equal.worse, equal.better), (0, 0));
        let mut few = Case::default();
        for _ in 0..4 {
            few.see(Count { bad: 1, all: 1 }, Count { bad: 0, all: 1 });
            few.end();
        }
        assert_eq!((few.worse, few.better), (0, 0));
        few.see(Count { bad: 1, all: 1 }, Count { bad: 0, all: 1 });
        few.end();
        assert_eq!((few.worse, few.better), (1, 0), "they are part of the next one");
    }

    #[test]
    fn a_suspicion_that_stretches_refute_is_none() {
        let mut stretches = vec![(60, 0)];
        stretches.extend([(2, 1), (1, 2)].repeat(5));
        assert!(after(&stretches).suspicion() > 10.0, "too few stretches");
        stretches.extend([(2, 1), (1, 2)].repeat(2));
        assert!(after(&stretches).suspicion() <= 0.0);
    }

    #[test]
    fn what_was_good_for_long_does_not_refute_the_newest_stretches() {
        let turned = |row: usize| {
            let mut stretches = [(2, 1), (1, 2)].repeat(100);
            stretches.extend([(60, 0)].repeat(row));
            after(&stretches)
        };
        assert!(turned(3).suspicion() <= 0.0);
        let mut case = turned(4);
        assert!(case.suspicion() > 10.0, "{case:?}");
        case.see(Count { bad: 1, all: 100 }, Count { bad: 2, all: 100 });
        case.end();
        assert!(case.suspicion() <= 0.0, "it was better in the newest one: {case:?}");
    }

    #[test]
    fn a_total_failure_is_as_strong_after_a_long_good_time() {
        for quiet in [[(0, 0), (0, 0)], [(2, 1), (1, 2)]] {
            let broken = |row: usize| {
                let mut stretches = quiet.repeat(150);
                stretches.extend([(100, 0)].repeat(row));
                after(&stretches)
            };
            assert!(broken(2).strength_or_outright() < 6.4, "{:?}", broken(2));
            assert!(broken(3).strength_or_outright() > 30.0, "{:?}", broken(3));
        }
    }

    #[test]
    fn half_of_all_requests_three_times_in_a_row_is_outright() {
        assert!(after(&[(60, 0); 3]).is_outright());
        assert!(!after(&[(60, 0), (60, 0), (20, 0), (60, 0)]).is_outright());
        assert!(!after(&[(90, 50); 9]).is_outright());
    }

    proptest! {
        /// Over all ways in which fair coins can fall, the mean is 1: nobody can expect to win.
        #[test]
        fn nobody_can_expect_to_win_with_fair_coins(coins in 1..10_u32) {
            let mut sum = 0.0;
            for falls in 0..(1_u32 << coins) {
                let fall = |coin: u32| if (falls >> coin) & 1 == 1 { (2, 1) } else { (1, 2) };
                let case = after(&(0..coins).map(fall).collect::<Vec<_>>());
                sum += ln_mean(&case.bets).exp();
            }
            let mean = sum / f64::from(1_u32 << coins);
            prop_assert!((mean - 1.0).abs() < 1e-9, "{mean}");
        }

        #[test]
        fn both_measures_have_to_agree(stretches in prop::collection::vec((0..100_u64, 0..100_u64), 0..40)) {
            let case = after(&stretches);
            prop_assert!(case.strength() <= case.evidence.ln());
            prop_assert!(case.strength() <= ln_mean(&case.bets));
        }
    }
}
