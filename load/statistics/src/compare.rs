//! Is B slower than A? Blocks in the order A B B A cancel a drift of the machine that is linear over the four. One value per block is
//! compared (a p99, a throughput): requests within a block depend on each other, so they are not the sample.
//!
//! A comparison fails only if the whole interval of the ratio is beyond the budget, and passes only if the whole interval is
//! within it. Anything else is inconclusive: measure longer.

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use serde::{Deserialize, Serialize};

use crate::{Interval, mean};

/// Resamples of the bootstrap.
const RESAMPLES: usize = 4_000;
/// Fewer groups of four than this say nothing.
pub const LEAST: usize = 5;

/// One value per block, of four blocks in the order A B B A. Values are above 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Four {
    /// First and last block.
    pub a: [f64; 2],
    /// The two in between.
    pub b: [f64; 2],
}

impl Four {
    /// Logarithm of the ratio B / A, with the drift cancelled.
    fn log_ratio(&self) -> f64 {
        let log = |values: [f64; 2]| f64::midpoint(values[0].max(1e-9).ln(), values[1].max(1e-9).ln());
        log(self.b) - log(self.a)
    }
}

/// Which direction is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Worse {
    /// As for a latency.
    Higher,
    /// As for a throughput.
    Lower,
}

/// What the comparison says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Worse by more than the budget.
    Worse,
    /// Better by more than the budget.
    Better,
    /// Not worse by more than the budget.
    Same,
    /// Too noisy to say, or too few blocks.
    Inconclusive,
}

/// The ratio B / A with its interval, and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// B / A.
    pub ratio: Interval,
    /// What it says.
    pub outcome: Outcome,
}

/// Compares B with A. `budget` is the change that is accepted: 0.05 is 5 %.
#[must_use]
pub fn compare(fours: &[Four], worse: Worse, budget: f64, seed: u64) -> Comparison {
    let ratios: Vec<f64> = fours.iter().map(Four::log_ratio).collect();
    let estimate = trimmed(&ratios);
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    // A bootstrap of n values is too narrow by this factor.
    let n = ratios.len() as f64;
    let wider = if n > 1.0 { (n / (n - 1.0)).sqrt() } else { 1.0 };
    let resampled = (0..RESAMPLES).map(|_| {
        let drawn: Vec<f64> = ratios.iter().map(|_| ratios[rng.random_range(0..ratios.len())]).collect();
        (estimate + (trimmed(&drawn) - estimate) * wider).exp()
    });
    let ratio = if ratios.is_empty() {
        Interval { estimate: 1.0, low: 0.0, high: f64::INFINITY }
    } else {
        Interval::of(estimate.exp(), resampled.collect())
    };
    Comparison {
        ratio,
        outcome: if ratios.len() < LEAST { Outcome::Inconclusive } else { judge(ratio, worse, budget) },
    }
}

fn judge(ratio: Interval, worse: Worse, budget: f64) -> Outcome {
    // As a latency: higher is worse.
    let (low, high) = match worse {
        Worse::Higher => (ratio.low, ratio.high),
        Worse::Lower => (1.0 / ratio.high, 1.0 / ratio.low),
    };
    let most = 1.0 + budget;
    if low > most {
        Outcome::Worse
    } else if high < 1.0 / most {
        Outcome::Better
    } else if high <= most {
        Outcome::Same
    } else {
        Outcome::Inconclusive
    }
}

/// The mean without the fifth at either end: a block in which the machine did something else does not decide.
fn trimmed(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let cut = sorted.len() / 5;
    mean(&sorted[cut..sorted.len() - cut])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_distr::{Distribution, Normal};

    use super::*;

    /// Blocks as a shared machine of two cores gives them: each block varies by 5 %, the machine drifts by several percent over a
    /// few blocks, and one block in twenty is a third slower because something else ran.
    struct Machine {
        rng: Xoshiro256PlusPlus,
        drift: f64,
    }

    impl Machine {
        fn new(seed: u64) -> Self {
            Self { rng: Xoshiro256PlusPlus::seed_from_u64(seed), drift: 0.0 }
        }

        fn block(&mut self, value: f64) -> f64 {
            let normal = |sd| Normal::new(0.0, sd).unwrap();
            self.drift = 0.9 * self.drift + normal(0.03).sample(&mut self.rng);
            let disturbed = if self.rng.random_range(0..20) == 0 { 1.33 } else { 1.0 };
            value * (self.drift + normal(0.05).sample(&mut self.rng)).exp() * disturbed
        }

        fn fours(&mut self, count: usize, a: f64, b: f64) -> Vec<Four> {
            let four = |_| {
                let values = [self.block(a), self.block(b), self.block(b), self.block(a)];
                Four { a: [values[0], values[3]], b: [values[1], values[2]] }
            };
            (0..count).map(four).collect()
        }
    }

    /// Of this many comparisons, those with this outcome. B is `factor` times A.
    fn count(seeds: u64, factor: f64, worse: Worse, wanted: Outcome) -> usize {
        let run = |seed| {
            let fours = Machine::new(seed).fours(48, 100.0, 100.0 * factor);
            compare(&fours, worse, 0.05, seed).outcome
        };
        (0..seeds).filter(|seed| run(*seed) == wanted).count()
    }

    #[test]
    fn a_regression_of_a_tenth_is_found_and_a_against_a_passes() {
        for (worse, factor) in [(Worse::Higher, 1.10), (Worse::Lower, 0.90)] {
            let found = count(20, factor, worse, Outcome::Worse);
            assert!(found >= 18, "{found} of 20 regressions of 10 % were found: {worse:?}");
            let failed = count(20, 1.0, worse, Outcome::Worse);
            assert!(failed <= 1, "{failed} of 20 comparisons of A with A failed: {worse:?}");
            let passed = count(20, 1.0, worse, Outcome::Same);
            assert!(passed >= 18, "{passed} of 20 comparisons of A with A passed: {worse:?}");
        }
    }

    #[test]
    fn a_throughput_is_worse_when_it_falls() {
        let fours = Machine::new(3).fours(24, 1_000.0, 850.0);
        assert_eq!(compare(&fours, Worse::Lower, 0.05, 1).outcome, Outcome::Worse);
        assert_eq!(compare(&fours, Worse::Higher, 0.05, 1).outcome, Outcome::Better);
    }

    #[test]
    fn few_blocks_or_much_noise_are_inconclusive() {
        let four = Four { a: [100.0, 100.0], b: [150.0, 150.0] };
        assert_eq!(compare(&[four; LEAST - 1], Worse::Higher, 0.05, 1).outcome, Outcome::Inconclusive);
        assert_eq!(compare(&[], Worse::Higher, 0.05, 1).outcome, Outcome::Inconclusive);
        let noisy: Vec<Four> =
            [0.7, 1.4, 0.8, 1.5, 0.6, 1.3].map(|f| Four { a: [100.0; 2], b: [100.0 * f; 2] }).into();
        assert_eq!(compare(&noisy, Worse::Higher, 0.05, 1).outcome, Outcome::Inconclusive);
    }

    proptest! {
        #[test]
        fn a_drift_that_is_linear_in_the_logarithm_cancels(slope in -0.2..0.2_f64, factor in 0.5..2.0_f64) {
            let at = |n: usize, value: f64| value * (slope * n as f64).exp();
            let four = |n: usize| Four {
                a: [at(4 * n, 1.0), at(4 * n + 3, 1.0)],
                b: [at(4 * n + 1, factor), at(4 * n + 2, factor)],
            };
            let fours: Vec<_> = (0..8).map(four).collect();
            let ratio = compare(&fours, Worse::Higher, 0.05, 1).ratio;
            prop_assert!((ratio.estimate / factor - 1.0).abs() < 1e-6);
            prop_assert!(ratio.low <= ratio.estimate + 1e-9 && ratio.estimate <= ratio.high + 1e-9);
        }
    }
}
