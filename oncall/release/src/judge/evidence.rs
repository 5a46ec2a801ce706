//! How strongly the counts speak against "the canary fails no more often than the baseline", at any time and as often as one
//! looks.
//!
//! An *e-process*: a bet against the hypothesis that nobody can expect to win while it is true, so the chance that it ever
//! grows to 1/alpha is at most alpha (Ville). The bet is a mixture of sequential probability ratio tests (Robbins 1970;
//! Johari, Koomen, Pekelis, Walsh, "Always Valid Inference", Operations Research 70(3), 2022), and each of them is the exact
//! one for two streams of yes and no of Turner, Ly and Grünwald ("Generic E-variables for exact sequential k-sample tests
//! that allow for optional stopping", 2024): for a block of `n_c` and `n_b` requests with shares `c > b` expected, it is
//!
//! ```text
//!     c^bad_c (1-c)^good_c  b^bad_b (1-b)^good_b  /  m^bad (1-m)^good      m = (n_c c + n_b b) / (n_c + n_b)
//! ```
//!
//! Its expectation is at most 1 if both fail equally often: it is `(1 + (t-m)(c-m)/v)^n_c (1 + (t-m)(b-m)/v)^n_b` with
//! `v = m(1-m)` for the true share `t`, concave in its logarithm, and greatest at `t = m`, where it is 1. A canary that fails
//! less often only lowers it. No normal approximation is involved, so it holds for five requests and one error, too.
//! It holds for independent requests; the module `lasting` is for those that are not.

use super::Count;

/// Shares of failures of the baseline that are bet on.
const BASE: [f64; 4] = [0.0005, 0.005, 0.05, 0.3];
/// How many times the odds of the canary are those of the baseline.
const LIFT: [f64; 7] = [1.2, 1.6, 2.5, 5.0, 12.0, 40.0, 120.0];
/// How many bets there are.
const BETS: usize = BASE.len() * LIFT.len();
/// Nine of ten releases with the rise that a policy names are found within this times the expected number of requests; the
/// suite simulates it.
const RESERVE: f64 = 1.5;

/// What was seen so far.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// The logarithm of each bet.
    bets: [f64; BETS],
}

impl Evidence {
    /// Takes the counts of the next requests. Those of one side alone say nothing.
    pub fn see(&mut self, canary: Count, baseline: Count) {
        if canary.all == 0 || baseline.all == 0 {
            return;
        }
        for (bet, (c, b)) in self.bets.iter_mut().zip(alternatives()) {
            let (all_c, all_b) = (canary.all as f64, baseline.all as f64);
            let mean = (all_c * c + all_b * b) / (all_c + all_b);
            *bet += ratio(canary, c, mean) + ratio(baseline, b, mean);
        }
    }

    /// The natural logarithm of the evidence now; 0 before anything was seen.
    #[must_use]
    pub fn ln(&self) -> f64 {
        ln_mean(&self.bets)
    }
}

/// The p-value that holds whenever one looks, for the logarithm of the evidence at that time. The greatest one so far would
/// hold, too; but what later requests speak against is no longer a reason to fail.
#[must_use]
pub fn p(ln: f64) -> f64 {
    (-ln).exp().min(1.0)
}

/// How many requests each of the two needs, so that the test finds a share of failures that has risen from `base` by `rise` in
/// nine of ten cases at the level `alpha`. At least 1.
#[must_use]
pub fn needed(base: f64, rise: f64, alpha: f64) -> u64 {
    let rise = rise.clamp(0.001, 0.9);
    // Even a baseline without one failure may have some.
    let base = base.clamp(0.001, 0.999 - rise);
    let (c, b) = (base + rise, base);
    let mean = f64::midpoint(c, b);
    let divergence = |p: f64| p * (p / mean).ln() + (1.0 - p) * ((1.0 - p) / (1.0 - mean)).ln();
    let growth = divergence(c) + divergence(b);
    let goal = -alpha.clamp(f64::MIN_POSITIVE, 1.0).ln() + (BETS as f64).ln();
    (RESERVE * goal / growth).ceil().max(1.0) as u64
}

/// The logarithm of the mean of the numbers whose logarithms these are.
pub(super) fn ln_mean(logarithms: &[f64]) -> f64 {
    let most = logarithms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !most.is_finite() {
        return 0.0;
    }
    let sum: f64 = logarithms.iter().map(|ln| (ln - most).exp()).sum();
    most + (sum / logarithms.len() as f64).ln()
}

/// Each pair of shares, canary first.
fn alternatives() -> impl Iterator<Item = (f64, f64)> {
    BASE.into_iter().flat_map(|base| {
        LIFT.into_iter().map(move |lift| {
            let odds = lift * base / (1.0 - base);
            (odds / (1.0 + odds), base)
        })
    })
}

/// The logarithm of how much likelier the counts are with `share` than with `mean`.
fn ratio(count: Count, share: f64, mean: f64) -> f64 {
    let bad = count.bad.min(count.all);
    let good = count.all - bad;
    bad as f64 * (share / mean).ln() + good as f64 * ((1.0 - share) / (1.0 - mean)).ln()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn count(bad: u64, all: u64) -> Count {
        Count { bad, all }
    }

    /// The chance of `bad` among `all` with the share `t`.
    fn chance(bad: u64, all: u64, t: f64) -> f64 {
        let choose: f64 = (0..bad).map(|k| (all - k) as f64 / (k + 1) as f64).product();
        choose * t.powi(bad as i32) * (1.0 - t).powi((all - bad) as i32)
    }

    #[test]
    fn nothing_seen_is_no_evidence() {
        let mut evidence = Evidence::default();
        assert_eq!(evidence.ln(), 0.0);
        evidence.see(count(9, 9), count(0, 0));
        evidence.see(count(0, 0), count(0, 9));
        assert!(evidence.ln().abs() < 1e-9 && (p(evidence.ln()) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_canary_that_always_fails_is_seen_after_a_handful_of_requests() {
        let mut evidence = Evidence::default();
        evidence.see(count(20, 20), count(0, 20));
        assert!(p(evidence.ln()) < 0.001, "{}", p(evidence.ln()));
    }

    #[test]
    fn more_is_needed_for_a_smaller_rise_a_lower_level_and_a_worse_baseline() {
        let usual = needed(0.001, 0.03, 0.01 / 6.0);
        assert!((500..1500).contains(&usual), "{usual}");
        assert!(needed(0.001, 0.01, 0.01 / 6.0) > usual);
        assert!(needed(0.001, 0.03, 0.0001) > usual);
        assert!(needed(0.2, 0.03, 0.01 / 6.0) > usual);
        assert!(needed(f64::NAN, 5.0, 0.0) >= 1);
    }

    proptest! {
        /// The property that everything rests on, computed exactly: over all outcomes, the expectation is at most 1.
        #[test]
        fn nobody_can_expect_to_win_while_the_canary_is_no_worse(
            n_c in 1..12_u64, n_b in 1..12_u64, share in 0.0..1.0_f64, less in 0.0..1.0_f64,
        ) {
            for (c, b) in [(share, share), (share * less, share)] {
                let mut expected = 0.0;
                for bad_c in 0..=n_c {
                    for bad_b in 0..=n_b {
                        let mut evidence = Evidence::default();
                        evidence.see(count(bad_c, n_c), count(bad_b, n_b));
                        expected += chance(bad_c, n_c, c) * chance(bad_b, n_b, b) * evidence.ln().exp();
                    }
                }
                prop_assert!(expected <= 1.0 + 1e-9, "{expected}");
            }
        }

        #[test]
        fn one_more_failure_of_the_canary_is_never_less_evidence(bad in 0..50_u64, other in 0..50_u64) {
            let ln = |bad| {
                let mut evidence = Evidence::default();
                evidence.see(count(bad, 51), count(other, 51));
                evidence.ln()
            };
            prop_assert!(ln(bad + 1) >= ln(bad));
        }
    }
}
