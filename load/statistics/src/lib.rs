//! The statistics of performance: what may be said about numbers that are noisy.
//!
//! * [`compare`] -- is B slower than A? Interleaved blocks, a bootstrap interval of the ratio.
//! * [`changes`] -- when did a history change? E-divisive with Student's t-test.
//! * [`usl`] -- how far does it scale? The Universal Scalability Law, with intervals.
//! * [`queue`] -- how long do they wait? Erlang's formula, and a simulation.
//! * [`network`] -- how long do they wait in a row of queues?
//! * [`zipf`] -- how uneven are users when they are spread over shards?
//!
//! Everything here is pure: the same numbers and seed give the same answer.

pub mod changes;
pub mod compare;
pub mod network;
pub mod queue;
pub mod student;
pub mod usl;
pub mod zipf;

/// Arithmetic mean; 0 without values.
#[must_use]
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// Unbiased variance; 0 for fewer than two values.
#[must_use]
pub fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    if values.len() < 2 { 0.0 } else { squares / (values.len() - 1) as f64 }
}

/// The `quantile` (0 to 1) of values in ascending order, interpolated; 0 without values.
#[must_use]
pub fn quantile(sorted: &[f64], quantile: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let at = quantile.clamp(0.0, 1.0) * last as f64;
    let (below, part) = (at.floor() as usize, at.fract());
    sorted[below] + (sorted[(below + 1).min(last)] - sorted[below]) * part
}

/// An estimate with the interval that holds it with a confidence of 95 %.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Interval {
    /// The estimate.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// The middle 95 % of what resampling gave.
    #[must_use]
    pub fn of(estimate: f64, mut resampled: Vec<f64>) -> Self {
        resampled.retain(|value| value.is_finite());
        resampled.sort_by(f64::total_cmp);
        if resampled.is_empty() {
            return Self { estimate, low: estimate, high: estimate };
        }
        Self { estimate, low: quantile(&resampled, 0.025), high: quantile(&resampled, 0.975) }
    }
}
