//! The Universal Scalability Law (Gunther): X(N) = γN / (1 + σ(N - 1) + κN(N - 1)). Contention σ bounds the throughput, coherence κ
//! makes it fall again. Fitted by least squares in the form N / X = 1/γ + σ/γ (N - 1) + κ/γ N(N - 1), which is linear, with weights
//! that make the residuals relative ones of X.

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use serde::{Deserialize, Serialize};

use crate::Interval;

/// Resamples of the bootstrap.
const RESAMPLES: usize = 1_000;

/// A measured step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Requests in the system at once, on average: by Little's law throughput times mean response time. Above 0.
    pub concurrency: f64,
    /// Requests per second. Above 0.
    pub throughput: f64,
}

/// The parameters of the law.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Law {
    /// γ: throughput of one request at a time.
    pub gamma: f64,
    /// σ, contention: 0 is none.
    pub sigma: f64,
    /// κ, coherence: 0 is none.
    pub kappa: f64,
}

impl Law {
    /// Throughput with `n` requests in the system.
    #[must_use]
    pub fn throughput(&self, n: f64) -> f64 {
        self.gamma * n / (1.0 + self.sigma * (n - 1.0) + self.kappa * n * (n - 1.0))
    }

    /// The concurrency with the largest throughput; infinite without coherence.
    #[must_use]
    pub fn peak_concurrency(&self) -> f64 {
        if self.kappa > 0.0 {
            ((1.0 - self.sigma).max(0.0) / self.kappa).sqrt().max(1.0)
        } else {
            f64::INFINITY
        }
    }

    /// The largest throughput; γ / σ without coherence, and infinite without either.
    #[must_use]
    pub fn peak(&self) -> f64 {
        let at = self.peak_concurrency();
        if at.is_finite() {
            self.throughput(at)
        } else if self.sigma > 0.0 {
            self.gamma / self.sigma
        } else {
            // Not by division: a fitted 0 may be -0, and would make it negative.
            f64::INFINITY
        }
    }
}

/// A fit with its intervals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// The law.
    pub law: Law,
    /// σ
    pub sigma: Interval,
    /// κ
    pub kappa: Interval,
    /// The largest throughput.
    pub peak: Interval,
    /// Root mean square of the relative residuals of X.
    pub error: f64,
}

/// Fits the law to at least three steps with different concurrency; `None` for fewer.
#[must_use]
pub fn fit(loads: &[Load], seed: u64) -> Option<Fit> {
    let law = solve(loads)?;
    let residual = |load: &Load| load.throughput / law.throughput(load.concurrency);
    let residuals: Vec<f64> = loads.iter().map(residual).collect();
    let squares: f64 = residuals.iter().map(|ratio| (ratio - 1.0).powi(2)).sum();
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    // Residuals are resampled, not steps: a resample without the largest step would know nothing of the bend.
    let mut resample = || {
        let draw = |load: &Load| Load {
            throughput: law.throughput(load.concurrency) * residuals[rng.random_range(0..residuals.len())],
            ..*load
        };
        solve(&loads.iter().map(draw).collect::<Vec<_>>())
    };
    let laws: Vec<Law> = (0..RESAMPLES).filter_map(|_| resample()).collect();
    let interval = |of: fn(&Law) -> f64| Interval::of(of(&law), laws.iter().map(of).collect());
    Some(Fit {
        law,
        sigma: interval(|law| law.sigma),
        kappa: interval(|law| law.kappa),
        peak: interval(Law::peak),
        error: (squares / loads.len() as f64).sqrt(),
    })
}

/// The parameters with the least squares; a negative σ or κ is set to 0 and the rest is fitted again.
fn solve(loads: &[Load]) -> Option<Law> {
    let mut different: Vec<f64> = loads.iter().map(|load| load.concurrency).collect();
    different.sort_by(f64::total_cmp);
    different.dedup();
    let usable = |load: &Load| load.concurrency > 0.0 && load.throughput > 0.0;
    if different.len() < 3 || !loads.iter().all(usable) {
        return None;
    }
    let law = |used: [bool; 3]| {
        let c = least_squares(loads, used)?;
        Some(Law { gamma: 1.0 / c[0], sigma: c[1] / c[0], kappa: c[2] / c[0] }).filter(|law| law.gamma > 0.0)
    };
    let right = |law: &Law| law.sigma >= 0.0 && law.kappa >= 0.0;
    let error = |law: &Law| -> f64 {
        loads.iter().map(|load| (law.throughput(load.concurrency) / load.throughput - 1.0).powi(2)).sum()
    };
    let all = [[true, true, true], [true, true, false], [true, false, true], [true, false, false]];
    let mut laws = all.into_iter().filter_map(law).filter(right);
    // Without a bound it is the best; with one, the best of those at the bound.
    let first = laws.next()?;
    let best = laws.fold(first, |best, next| if error(&next) < error(&best) { next } else { best });
    Some(best)
}

/// Solves the weighted normal equations for the terms that are used; the others are 0.
fn least_squares(loads: &[Load], used: [bool; 3]) -> Option<[f64; 3]> {
    let mut rows = [[0.0; 4]; 3];
    for load in loads {
        let n = load.concurrency;
        let terms = [1.0, n - 1.0, n * (n - 1.0)];
        let (y, weight) = (n / load.throughput, (load.throughput / n).powi(2));
        for (row, i) in rows.iter_mut().zip(0..3) {
            for (cell, term) in row.iter_mut().zip(terms) {
                *cell += weight * terms[i] * term;
            }
            row[3] += weight * terms[i] * y;
        }
    }
    for i in (0..3).filter(|i| !used[*i]) {
        for row in &mut rows {
            row[i] = 0.0;
        }
        rows[i] = [0.0; 4];
        rows[i][i] = 1.0;
    }
    eliminate(rows)
}

/// Gauss's elimination with pivots.
fn eliminate(mut rows: [[f64; 4]; 3]) -> Option<[f64; 3]> {
    for i in 0..3 {
        let pivot = (i..3).max_by(|a, b| rows[*a][i].abs().total_cmp(&rows[*b][i].abs()))?;
        rows.swap(i, pivot);
        if rows[i][i].abs() < 1e-12 {
            return None;
        }
        let top = rows[i];
        for row in rows.iter_mut().skip(i + 1) {
            let factor = row[i] / top[i];
            for (value, above) in row.iter_mut().zip(top) {
                *value -= factor * above;
            }
        }
    }
    let mut solution = [0.0; 3];
    for i in (0..3).rev() {
        let known: f64 = (i + 1..3).map(|j| rows[i][j] * solution[j]).sum();
        solution[i] = (rows[i][3] - known) / rows[i][i];
    }
    Some(solution)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_distr::{Distribution, Normal};

    use super::*;

    const STEPS: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 24.0, 32.0, 48.0];

    fn measured(law: &Law, noise: f64, seed: u64) -> Vec<Load> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let normal = Normal::new(1.0, noise).unwrap();
        let step = |n: f64| Load { concurrency: n, throughput: law.throughput(n) * normal.sample(&mut rng) };
        STEPS.into_iter().map(step).collect()
    }

    #[test]
    fn the_peak_is_found_through_noise_and_its_interval_holds_it() {
        let law = Law { gamma: 1_000.0, sigma: 0.05, kappa: 0.001 };
        let fits: Vec<Fit> = (0..20).map(|seed| fit(&measured(&law, 0.03, seed), seed).unwrap()).collect();
        for fit in &fits {
            assert!((fit.law.peak() / law.peak() - 1.0).abs() < 0.10, "{fit:?}, right: {}", law.peak());
            assert!(fit.error < 0.06, "{fit:?}");
        }
        let holds = |fit: &&Fit| (fit.peak.low * 0.97..fit.peak.high * 1.03).contains(&law.peak());
        assert!(fits.iter().filter(holds).count() >= 17);
    }

    #[test]
    fn a_system_that_scales_without_limit_has_no_peak() {
        let loads: Vec<Load> = STEPS.map(|n| Load { concurrency: n, throughput: 100.0 * n }).into();
        let law = fit(&loads, 1).unwrap().law;
        assert!((law.gamma - 100.0).abs() < 1e-6 && law.peak() > 1e6, "{law:?}");
    }

    #[test]
    fn two_steps_are_not_enough() {
        let loads = [1.0, 2.0, 2.0].map(|n| Load { concurrency: n, throughput: n });
        assert_eq!(fit(&loads, 1), None);
    }

    proptest! {
        #[test]
        fn exact_measurements_give_the_law_back(
            gamma in 10.0..10_000.0_f64, sigma in 0.001..0.3_f64, kappa in 0.00001..0.01_f64,
        ) {
            let law = Law { gamma, sigma, kappa };
            let loads: Vec<Load> = STEPS.map(|n| Load { concurrency: n, throughput: law.throughput(n) }).into();
            let found = solve(&loads).unwrap();
            prop_assert!((found.gamma / gamma - 1.0).abs() < 1e-4, "{:?}", found);
            prop_assert!((found.peak() / law.peak() - 1.0).abs() < 1e-3, "{:?}", found);
        }
    }
}
