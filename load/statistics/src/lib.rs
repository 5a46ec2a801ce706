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

/// The `quantile` (0 to 1) of values in ascending order, which may end in infinities, interpolated; 0 without values.
#[must_use]
pub fn quantile(sorted: &[f64], quantile: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let at = quantile.clamp(0.0, 1.0) * last as f64;
    let (below, part) = (at.floor() as usize, at.fract());
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    // Infinity minus infinity, or times 0, is no number.
    if part > 0.0 && high > low { low + (high - low) * part } else { low }
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
    /// The middle 95 % of what resampling gave. An infinite value is one: if more than a fortieth are, the interval has no upper end.
    #[must_use]
    pub fn of(estimate: f64, mut resampled: Vec<f64>) -> Self {
        resampled.retain(|value| !value.is_nan());
        resampled.sort_by(f64::total_cmp);
        if resampled.is_empty() {
            return Self { estimate, low: estimate, high: estimate };
        }
        Self { estimate, low: quantile(&resampled, 0.025), high: quantile(&resampled, 0.975) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_has_no_upper_end_if_too_many_resamples_have_none() {
        let resampled = |infinite: usize| -> Vec<f64> {
            let finite = (0..100 - infinite).map(|n| n as f64);
            finite.chain(std::iter::repeat_n(f64::INFINITY, infinite)).collect()
        };
        let open = Interval::of(f64::INFINITY, resampled(30));
        assert!((open.low - 2.475).abs() < 1e-9 && open.high.is_infinite(), "{open:?}");
        let closed = Interval::of(50.0, resampled(1));
        assert!((closed.high - 96.525).abs() < 1e-9, "{closed:?}");
        assert!((Interval::of(1.0, vec![f64::NAN]).high - 1.0).abs() < 1e-12, "nothing to say");
    }

    #[test]
    fn quantiles_are_interpolated_and_know_infinity() {
        assert!((quantile(&[1.0, 2.0, 4.0], 0.75) - 3.0).abs() < 1e-12);
        assert!((quantile(&[1.0, f64::INFINITY], 0.0) - 1.0).abs() < 1e-12);
        assert!(quantile(&[f64::INFINITY, f64::INFINITY], 0.5).is_infinite());
        assert!(quantile(&[], 0.5).abs() < 1e-12);
    }
}
