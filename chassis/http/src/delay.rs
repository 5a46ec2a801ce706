//! How long a request that `http-latency` strikes waits: spread around the plan's `delay`, which is the mean.

use std::time::Duration;

use chassis_faults::Strike;

use crate::catalogue::{Distribution, HttpLatency};

/// Longest delay that a tail produces.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// The delay of a request.
pub(crate) fn inbound(strike: &Strike<HttpLatency>) -> Duration {
    let HttpLatency { delay, jitter, distribution } = strike.params;
    spread(delay, jitter, distribution, strike.sample())
}

/// The delay at quantile `sample` of a distribution around `delay`, which is the mean of each of them.
fn spread(delay: Duration, jitter: Duration, distribution: Distribution, sample: f64) -> Duration {
    let mean = delay.as_secs_f64();
    let half = match distribution {
        Distribution::Pareto => return pareto(mean, sample),
        Distribution::Uniform if jitter.is_zero() => mean,
        Distribution::Fixed | Distribution::Uniform => jitter.as_secs_f64(),
    };
    Duration::from_secs_f64((mean + half * (2.0 * sample - 1.0)).max(0.0))
}

/// Pareto with shape 1.5, whose mean is three times its minimum: the median is 0.53, the 99th percentile 7.2 means.
fn pareto(mean: f64, sample: f64) -> Duration {
    const SHAPE: f64 = 1.5;
    let minimum = mean * (SHAPE - 1.0) / SHAPE;
    let value = minimum / (1.0 - sample).powf(1.0 / SHAPE);
    Duration::from_secs_f64(value.min(MAX_DELAY.as_secs_f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEAN: Duration = Duration::from_millis(300);

    #[test]
    fn a_fixed_delay_is_exact_and_jitter_spreads_it_to_both_sides() {
        let jitter = Duration::from_millis(100);
        assert_eq!(spread(MEAN, Duration::ZERO, Distribution::Fixed, 0.9), MEAN);
        assert_eq!(spread(MEAN, jitter, Distribution::Fixed, 0.0), Duration::from_millis(200));
        assert_eq!(spread(MEAN, Duration::ZERO, Distribution::Uniform, 0.0), Duration::ZERO);
        assert_eq!(spread(MEAN, Duration::ZERO, Distribution::Uniform, 0.75), Duration::from_millis(450));
    }

    #[test]
    fn a_pareto_delay_is_mostly_short_with_a_long_bounded_tail() {
        let pareto = |q| spread(MEAN, Duration::ZERO, Distribution::Pareto, q);
        let quantile = |q| pareto(q).as_secs_f64() / MEAN.as_secs_f64();
        assert!(quantile(0.5) < 0.6, "{}", quantile(0.5));
        assert!(quantile(0.99) > 7.0, "{}", quantile(0.99));
        assert_eq!(pareto(1.0), MAX_DELAY);
        let steps = 100_000;
        let mean: f64 = (0..steps).map(|n| quantile((f64::from(n) + 0.5) / f64::from(steps))).sum::<f64>()
            / f64::from(steps);
        assert!((0.95..1.05).contains(&mean), "{mean}");
    }
}
