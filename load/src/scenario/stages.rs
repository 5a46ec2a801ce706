//! The rate over time, and the arrivals that follow it. Pure arithmetic on seconds from the start.
//!
//! Every stage is made of straight segments, so that the number of arrivals until a time (the area under the rate) and its
//! inverse are closed formulas: the n-th arrival is due where the area reaches the n-th sum of gaps. A ramp therefore sends
//! exactly what it promises, and not what a timer that changes the rate every second would.

use std::{f64::consts::TAU, time::Duration};

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use rand_distr::Exp1;

use crate::schedule::Arrivals;

/// Segments per period of a sine: the area differs from the curve's by less than 0.1 %.
const PER_PERIOD: f64 = 64.0;

/// A rate that changes evenly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// Starts per second at its beginning.
    pub from: f64,
    /// Starts per second at its end.
    pub to: f64,
    /// Seconds.
    pub seconds: f64,
}

impl Segment {
    fn area(&self) -> f64 {
        f64::midpoint(self.from, self.to) * self.seconds
    }

    fn rate_at(&self, seconds: f64) -> f64 {
        self.from + (self.to - self.from) * seconds / self.seconds
    }

    /// Seconds from the beginning of the segment until the area is `area`.
    fn time_of(&self, area: f64) -> f64 {
        if area <= 0.0 {
            return 0.0;
        }
        let slope = (self.to - self.from) / self.seconds;
        // The root of `from x + slope x² / 2 = area`, in the form that does not cancel for a small slope.
        let root = (self.from * self.from + 2.0 * slope * area).max(0.0).sqrt();
        2.0 * area / (self.from + root)
    }
}

/// A part of a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// What progress and report call it.
    pub name: String,
    /// Its rate over time; at least one segment.
    pub segments: Vec<Segment>,
}

impl Stage {
    /// From one rate to another, evenly.
    #[must_use]
    pub fn ramp(name: &str, from: f64, to: f64, seconds: f64) -> Self {
        Self { name: name.to_owned(), segments: vec![Segment { from, to, seconds }] }
    }

    /// From one rate to another in equally long steps of equal height; the first step has the rate `from`, the last `to`.
    #[must_use]
    pub fn steps(name: &str, from: f64, to: f64, steps: u32, seconds: f64) -> Self {
        let rise = (to - from) / f64::from(steps.max(2) - 1);
        let at = |step| from + rise * f64::from(step);
        let segment = |step| Segment { from: at(step), to: at(step), seconds: seconds / f64::from(steps) };
        Self { name: name.to_owned(), segments: (0..steps).map(segment).collect() }
    }

    /// A third at `from`, at once to `to` for a third, and at once back.
    #[must_use]
    pub fn spike(name: &str, from: f64, to: f64, seconds: f64) -> Self {
        let hold = |rate| Segment { from: rate, to: rate, seconds: seconds / 3.0 };
        Self { name: name.to_owned(), segments: vec![hold(from), hold(to), hold(from)] }
    }

    /// Around `rate` by `swing`, starting at `rate` upwards.
    #[must_use]
    pub fn sine(name: &str, rate: f64, swing: f64, period: f64, seconds: f64) -> Self {
        let count = (seconds / period * PER_PERIOD).ceil().clamp(1.0, 100_000.0);
        let length = seconds / count;
        let at = |n: f64| rate + swing * (TAU * n * length / period).sin();
        let segment = |n: u32| {
            let n = f64::from(n);
            Segment { from: at(n), to: at(n + 1.0), seconds: length }
        };
        Self { name: name.to_owned(), segments: (0..count as u32).map(segment).collect() }
    }

    fn seconds(&self) -> f64 {
        self.segments.iter().map(|segment| segment.seconds).sum()
    }
}

/// All stages of a scenario, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Stages(pub Vec<Stage>);

impl Stages {
    /// How long they take together.
    #[must_use]
    pub fn length(&self) -> Duration {
        Duration::try_from_secs_f64(self.0.iter().map(Stage::seconds).sum()).unwrap_or(Duration::MAX)
    }

    /// Starts that the stages ask for in all, on average.
    #[must_use]
    pub fn expected(&self) -> f64 {
        self.0.iter().flat_map(|stage| &stage.segments).map(Segment::area).sum()
    }

    /// The stage at an offset from the start, and its rate; `None` after the end.
    #[must_use]
    pub fn at(&self, offset: Duration) -> Option<(&Stage, f64)> {
        let mut left = offset.as_secs_f64();
        for stage in &self.0 {
            for segment in &stage.segments {
                if left < segment.seconds {
                    return Some((stage, segment.rate_at(left)));
                }
                left -= segment.seconds;
            }
        }
        None
    }

    /// When journeys are due, as offsets from the start, in order. The same for a seed.
    #[must_use]
    pub fn arrivals(&self, arrivals: Arrivals, seed: u64) -> Arriving {
        let segments: Vec<Segment> = self.0.iter().flat_map(|stage| stage.segments.clone()).collect();
        Arriving {
            arrivals,
            rng: Xoshiro256PlusPlus::seed_from_u64(seed),
            segments: segments.into_iter(),
            now: None,
            begin: 0.0,
            used: 0.0,
        }
    }
}

/// The sequence of arrival times.
#[derive(Debug, Clone)]
pub struct Arriving {
    arrivals: Arrivals,
    rng: Xoshiro256PlusPlus,
    segments: std::vec::IntoIter<Segment>,
    now: Option<Segment>,
    /// Seconds from the start to the beginning of the current segment.
    begin: f64,
    /// Area of the current segment up to the latest arrival.
    used: f64,
}

impl Iterator for Arriving {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let mut gap: f64 = match self.arrivals {
            Arrivals::Constant => 1.0,
            Arrivals::Poisson => self.rng.sample(Exp1),
        };
        loop {
            let segment = match self.now {
                Some(segment) => segment,
                None => *self.now.insert(self.segments.next()?),
            };
            let left = segment.area() - self.used;
            if gap < left {
                self.used += gap;
                let at = self.begin + segment.time_of(self.used);
                return Some(Duration::try_from_secs_f64(at).unwrap_or(Duration::MAX));
            }
            // The rest of the gap belongs to the next segment.
            gap -= left;
            self.begin += segment.seconds;
            self.used = 0.0;
            self.now = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn count(stages: &Stages, from: f64, to: f64) -> usize {
        let within = |at: &Duration| (from..to).contains(&at.as_secs_f64());
        stages.arrivals(Arrivals::Constant, 1).filter(within).count()
    }

    #[test]
    fn a_ramp_sends_the_area_under_its_line() {
        let stages = Stages(vec![Stage::ramp("up", 0.0, 100.0, 10.0)]);
        assert!((499..=500).contains(&count(&stages, 0.0, 10.0)));
        // The first half of the time has a quarter of the area.
        assert!((124..=126).contains(&count(&stages, 0.0, 5.0)), "{}", count(&stages, 0.0, 5.0));
        assert_eq!(
            stages.at(Duration::from_secs(5)).map(|(stage, rate)| (&*stage.name, rate)),
            Some(("up", 50.0))
        );
        assert_eq!(stages.at(Duration::from_secs(10)), None);
    }

    #[test]
    fn a_spike_is_high_in_its_middle_third_only_and_steps_climb_evenly() {
        let spike = Stages(vec![Stage::spike("spike", 10.0, 200.0, 30.0)]);
        assert!((99..=101).contains(&count(&spike, 0.0, 10.0)));
        assert!((1_999..=2_001).contains(&count(&spike, 10.0, 20.0)));
        assert!((99..=101).contains(&count(&spike, 20.0, 30.0)));
        let steps = Stage::steps("steps", 100.0, 300.0, 3, 30.0);
        assert_eq!(steps.segments.iter().map(|s| s.from).collect::<Vec<_>>(), [100.0, 200.0, 300.0]);
    }

    #[test]
    fn a_sine_has_its_mean_over_whole_periods_and_its_peak_after_a_quarter() {
        let sine = Stages(vec![Stage::sine("day", 100.0, 50.0, 40.0, 80.0)]);
        assert!((sine.expected() - 8_000.0).abs() < 1.0, "{}", sine.expected());
        let (_, peak) = sine.at(Duration::from_secs(10)).unwrap();
        assert!((peak - 150.0).abs() < 0.1, "{peak}");
    }

    #[test]
    fn a_rate_of_zero_sends_nothing() {
        let pause = Stages(vec![Stage::ramp("pause", 0.0, 0.0, 5.0), Stage::ramp("go", 10.0, 10.0, 1.0)]);
        let first = pause.arrivals(Arrivals::Constant, 1).next();
        assert_eq!(first, Some(Duration::from_millis(5_100)));
    }

    proptest! {
        #[test]
        fn arrivals_are_in_order_within_the_stages_and_as_many_as_expected(
            rates in prop::collection::vec((0.0..500.0_f64, 0.0..500.0_f64, 0.1..20.0_f64), 1..6),
            seed in any::<u64>(),
        ) {
            let stages = Stages(rates.iter().map(|(from, to, s)| Stage::ramp("r", *from, *to, *s)).collect());
            let end = stages.length().as_secs_f64() + 1e-6;
            let constant: Vec<_> = stages.arrivals(Arrivals::Constant, seed).collect();
            prop_assert!((constant.len() as f64 - stages.expected()).abs() <= 1.0);
            let poisson: Vec<_> = stages.arrivals(Arrivals::Poisson, seed).collect();
            for times in [constant, poisson] {
                prop_assert!(times.is_sorted());
                prop_assert!(times.last().is_none_or(|last| last.as_secs_f64() <= end));
            }
        }
    }
}
