//! The parameters of a plan that hit a unit of work.

use std::{sync::Arc, time::Duration};

use super::{state::InForce, value::Value};

/// The parameters of a plan that hit. Getters take the names of the point's own [`super::ParamSpec`]s and panic on
/// others: a mistake in the code, found by the first test that switches the fault on.
#[derive(Clone)]
pub struct Strike {
    in_force: Arc<InForce>,
    sample: f64,
}

impl Strike {
    pub(super) const fn new(in_force: Arc<InForce>, sample: f64) -> Self {
        Self { in_force, sample }
    }

    pub(super) fn same_plan(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.in_force, &other.in_force)
    }

    /// A duration parameter.
    #[must_use]
    pub fn duration(&self, name: &str) -> Duration {
        match self.in_force.plan.values.get(name) {
            Some(Value::Duration(duration)) => *duration,
            other => panic!("`{name}` is not a duration parameter of this fault but {other:?}"),
        }
    }

    /// A count parameter.
    #[must_use]
    pub fn count(&self, name: &str) -> u64 {
        match self.in_force.plan.values.get(name) {
            Some(Value::Count(count)) => *count,
            other => panic!("`{name}` is not a count parameter of this fault but {other:?}"),
        }
    }

    /// A size parameter in bytes.
    #[must_use]
    pub fn bytes(&self, name: &str) -> u64 {
        match self.in_force.plan.values.get(name) {
            Some(Value::Bytes(bytes)) => *bytes,
            other => panic!("`{name}` is not a size parameter of this fault but {other:?}"),
        }
    }

    /// A word parameter.
    #[must_use]
    pub fn word(&self, name: &str) -> &str {
        match self.in_force.plan.values.get(name) {
            Some(Value::Word(word)) => word,
            other => panic!("`{name}` is not a word parameter of this fault but {other:?}"),
        }
    }

    /// The delay of this strike, from the parameters `delay` and, where the fault has them, `jitter` and `distribution`.
    #[must_use]
    pub fn delay(&self) -> Duration {
        let values = &self.in_force.plan.values;
        let jitter = match values.get("jitter") {
            Some(Value::Duration(jitter)) => *jitter,
            _ => Duration::ZERO,
        };
        let distribution = match values.get("distribution") {
            Some(Value::Word(word)) => word,
            _ => "fixed",
        };
        spread(self.duration("delay"), jitter, distribution, self.sample)
    }

    /// A uniform number in [0, 1) that belongs to this strike; replayed with the plan's `seed`.
    #[must_use]
    pub const fn sample(&self) -> f64 {
        self.sample
    }
}

/// Upper bound of the delays of a tail.
const MAX_DELAY: Duration = Duration::from_secs(60);

/// The delay at quantile `sample` of a distribution around `delay`, which is the mean of each of them.
fn spread(delay: Duration, jitter: Duration, distribution: &str, sample: f64) -> Duration {
    let mean = delay.as_secs_f64();
    let half = match distribution {
        "pareto" => return pareto(mean, sample),
        "uniform" if jitter.is_zero() => mean,
        _ => jitter.as_secs_f64(),
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
        assert_eq!(spread(MEAN, Duration::ZERO, "fixed", 0.9), MEAN);
        assert_eq!(spread(MEAN, jitter, "fixed", 0.0), Duration::from_millis(200));
        assert_eq!(spread(MEAN, Duration::ZERO, "uniform", 0.0), Duration::ZERO);
        assert_eq!(spread(MEAN, Duration::ZERO, "uniform", 0.75), Duration::from_millis(450));
    }

    #[test]
    fn a_pareto_delay_is_mostly_short_with_a_long_bounded_tail() {
        let quantile = |q| spread(MEAN, Duration::ZERO, "pareto", q).as_secs_f64() / MEAN.as_secs_f64();
        assert!(quantile(0.5) < 0.6, "{}", quantile(0.5));
        assert!(quantile(0.99) > 7.0, "{}", quantile(0.99));
        assert_eq!(spread(MEAN, Duration::ZERO, "pareto", 1.0), MAX_DELAY);
        let steps = 100_000;
        let mean: f64 = (0..steps).map(|n| quantile((f64::from(n) + 0.5) / f64::from(steps))).sum::<f64>()
            / f64::from(steps);
        assert!((0.95..1.05).contains(&mean), "{mean}");
    }
}
