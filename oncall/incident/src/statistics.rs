//! How to report a handful of durations: their number, the median, the 90th percentile, and an interval that says how
//! little is known.
//!
//! Never the mean alone: times to recover are skewed, one long incident moves the mean more than any improvement does
//! (Davidovič, “Incident Metrics in SRE”, 2021), and with few incidents the interval is wide, as it should be.

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use serde::Serialize;

/// Resamples of the bootstrap.
const RESAMPLES: usize = 2000;
/// Share of the resampled medians that the interval has.
const CONFIDENCE: f64 = 0.95;

/// Why the mean is not reported, for pages and reports.
pub const WHY_NO_MEAN: &str = "A mean misleads here: the times are skewed, so one long incident moves it more than any \
                               improvement, and with few incidents chance moves it most.";

/// What a number of values say.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Summary {
    /// How many values there are.
    pub n: usize,
    /// Half of them are at most this.
    pub median: f64,
    /// Nine of ten are at most this.
    pub p90: f64,
    /// Where the median of such incidents probably is: the 95 % bootstrap interval, low and high.
    pub interval: (f64, f64),
}

impl Summary {
    /// Summarizes finite values; none if there are none. The same seed gives the same interval.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>, seed: u64) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let median = quantile(&values, 0.5)?;
        let p90 = quantile(&values, 0.9)?;
        Some(Self { n: values.len(), median, p90, interval: bootstrap(&values, seed)? })
    }
}

/// The quantile of sorted values, interpolated linearly between neighbours (type 7 of Hyndman and Fan).
#[must_use]
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share.clamp(0.0, 1.0) * last as f64;
    let (low, high) = (place.floor(), place.ceil());
    let at = |place: f64| sorted.get(place as usize).copied();
    Some(at(low)? + (at(high)? - at(low)?) * (place - low))
}

/// The percentile interval of the median.
fn bootstrap(sorted: &[f64], seed: u64) -> Option<(f64, f64)> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut medians = Vec::with_capacity(RESAMPLES);
    let mut sample = vec![0.0; sorted.len()];
    for _ in 0..RESAMPLES {
        for value in &mut sample {
            *value = sorted[rng.random_range(0..sorted.len())];
        }
        sample.sort_by(f64::total_cmp);
        medians.push(quantile(&sample, 0.5)?);
    }
    medians.sort_by(f64::total_cmp);
    let outside = (1.0 - CONFIDENCE) / 2.0;
    Some((quantile(&medians, outside)?, quantile(&medians, 1.0 - outside)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_r_and_numpy() {
        let values = [15.0, 20.0, 35.0, 40.0, 50.0];
        assert_eq!(quantile(&values, 0.5), Some(35.0));
        assert_eq!(quantile(&values, 0.25), Some(20.0));
        assert_eq!(quantile(&values, 0.375), Some(27.5));
        assert_eq!(quantile(&values, 1.0), Some(50.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn one_long_incident_moves_the_mean_and_not_the_median() {
        let calm = Summary::of([60.0, 62.0, 64.0, 66.0, 68.0], 1).unwrap();
        let wild = Summary::of([60.0, 62.0, 64.0, 66.0, 86_400.0], 1).unwrap();
        assert_eq!((calm.n, calm.median), (5, 64.0));
        assert_eq!(wild.median, calm.median);
        assert!(wild.p90 > calm.p90);
    }

    #[test]
    fn the_interval_holds_the_median_narrows_with_more_values_and_can_be_repeated() {
        let few = Summary::of((0..5_i32).map(|n| f64::from(n) * 100.0), 7).unwrap();
        let many = Summary::of((0..500_i32).map(f64::from), 7).unwrap();
        for summary in [few, many] {
            let (low, high) = summary.interval;
            assert!(low <= summary.median && summary.median <= high, "{summary:?}");
        }
        assert!(
            few.interval.1 - few.interval.0 > 4.0 * (many.interval.1 - many.interval.0),
            "{few:?} {many:?}"
        );
        assert_eq!(Summary::of((0..5_i32).map(|n| f64::from(n) * 100.0), 7), Some(few));
        assert_eq!(Summary::of([], 7), None);
        assert_eq!(Summary::of([f64::NAN, 3.0], 7).unwrap().interval, (3.0, 3.0));
    }
}
