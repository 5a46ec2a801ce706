//! When requests are due. Pure arithmetic on offsets from the start; uses no clock, so a test can run years of it.
//!
//! Gaps are drawn in units of the mean gap and divided by the rate. So a change of rate stretches the rest of the current
//! gap instead of drawing a new one, and the units for a seed do not depend on the rate.

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use rand_distr::Exp1;

/// How the gaps between arrivals vary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Arrivals {
    /// Independent users: exponential gaps. Bursts happen, as they do in production.
    Poisson,
    /// A metronome: equal gaps.
    Constant,
}

/// The sequence of arrival times.
#[derive(Debug, Clone)]
pub struct Schedule {
    arrivals: Arrivals,
    rng: Xoshiro256PlusPlus,
    rate: f64,
    /// Seconds from the start at which `units` were left until the next arrival.
    from: f64,
    units: f64,
}

impl Schedule {
    /// Arrivals at `rate` per second, from offset 0 on. A rate of 0 is a pause.
    #[must_use]
    pub fn new(arrivals: Arrivals, rate: f64, seed: u64) -> Self {
        let rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut schedule = Self { arrivals, rng, rate, from: 0.0, units: 0.0 };
        schedule.units = schedule.draw();
        schedule
    }

    /// Offset of the next arrival from the start; `None` while the rate is 0.
    #[must_use]
    pub fn next_due(&self) -> Option<Duration> {
        let seconds = self.from + self.units / self.rate;
        (self.rate > 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
    }

    /// Moves on to the next arrival, after the current one was taken.
    pub fn advance(&mut self) {
        if self.rate > 0.0 {
            self.from += self.units / self.rate;
        }
        self.units = self.draw();
    }

    /// Changes the rate as of offset `at`.
    pub fn set_rate(&mut self, at: Duration, rate: f64) {
        // If the schedule is behind, arrivals in the past stay due: only what comes after `at` is stretched.
        let at = at.as_secs_f64().max(self.from);
        self.units = (self.units - (at - self.from) * self.rate).max(0.0);
        self.from = at;
        self.rate = rate;
    }

    fn draw(&mut self) -> f64 {
        match self.arrivals {
            Arrivals::Constant => 1.0,
            Arrivals::Poisson => self.rng.sample(Exp1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(schedule: &mut Schedule, count: usize) -> Vec<Duration> {
        (0..count)
            .map(|_| {
                let due = schedule.next_due().unwrap();
                schedule.advance();
                due
            })
            .collect()
    }

    #[test]
    fn the_same_seed_has_the_same_arrival_times_and_another_seed_has_others() {
        let times = |seed| take(&mut Schedule::new(Arrivals::Poisson, 80.0, seed), 1_000);
        assert_eq!(times(7), times(7));
        assert_ne!(times(7), times(8));
    }

    #[test]
    fn constant_arrivals_are_equally_far_apart() {
        let times = take(&mut Schedule::new(Arrivals::Constant, 50.0, 1), 100);
        assert_eq!(times[0], Duration::from_millis(20));
        assert_eq!(times[99].as_millis(), 2_000);
    }

    #[test]
    fn poisson_gaps_have_the_mean_and_the_spread_of_an_exponential() {
        let times = take(&mut Schedule::new(Arrivals::Poisson, 100.0, 1), 100_000);
        let gaps: Vec<f64> = times.windows(2).map(|w| (w[1] - w[0]).as_secs_f64()).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        // Standard error of the mean: 1 / (100 sqrt(100,000)) = 0.3 %; four of them are allowed.
        assert!((mean - 0.01).abs() < 0.01 * 0.013, "mean gap {mean}");
        assert!((variance.sqrt() / mean - 1.0).abs() < 0.03, "coefficient of variation");
    }

    #[test]
    fn a_change_of_rate_stretches_the_current_gap() {
        let mut schedule = Schedule::new(Arrivals::Constant, 1.0, 1);
        schedule.set_rate(Duration::from_millis(500), 10.0);
        assert_eq!(schedule.next_due(), Some(Duration::from_millis(550)));
        schedule.advance();
        assert_eq!(schedule.next_due(), Some(Duration::from_millis(650)));
    }

    #[test]
    fn a_rate_of_zero_pauses_and_a_new_rate_resumes_where_it_stopped() {
        let mut schedule = Schedule::new(Arrivals::Constant, 1.0, 1);
        schedule.set_rate(Duration::from_millis(400), 0.0);
        assert_eq!(schedule.next_due(), None);
        schedule.set_rate(Duration::from_secs(100), 1.0);
        assert_eq!(schedule.next_due(), Some(Duration::from_millis(100_600)));
    }
}
