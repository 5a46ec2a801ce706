//! When an alert must fire and when it must end, by arithmetic (Site Reliability Workbook, chapter 5).
//!
//! All times are in seconds, for windows that are full of healthy traffic before the fault starts. A window that is
//! not full yet, because the service has just started or its history was deleted, reacts sooner.

use crate::Pair;

/// Error ratio above which the pair fires; `budget` is 1 - objective.
#[must_use]
pub fn threshold(pair: &Pair, budget: f64) -> f64 {
    pair.factor * budget
}

/// Seconds from the start of a constant error ratio until the pair fires; `None` if it never does.
///
/// The long window decides: it crosses the threshold when `ratio * t / long = factor * budget`.
#[must_use]
pub fn detection(pair: &Pair, budget: f64, ratio: f64) -> Option<f64> {
    let threshold = threshold(pair, budget);
    (ratio > threshold).then(|| threshold * pair.long.secs() / ratio)
}

/// Seconds from the end of a constant error ratio, which lasted at least the short window, until the pair ends;
/// `None` if it had not fired.
///
/// The short window decides: it falls to the threshold when `ratio * (short - t) / short = factor * budget`.
#[must_use]
pub fn reset(pair: &Pair, budget: f64, ratio: f64) -> Option<f64> {
    let threshold = threshold(pair, budget);
    (ratio > threshold).then(|| pair.short.secs() * (1.0 - threshold / ratio))
}

/// Share of the period's budget that is gone when the pair fires.
#[must_use]
pub fn budget_spent_at_fire(pair: &Pair, period: crate::Window) -> f64 {
    pair.factor * pair.long.secs() / period.secs()
}

/// Seconds until a full budget is gone at this burn rate; `None` at a rate of 0.
#[must_use]
pub fn exhaustion(period: crate::Window, burn_rate: f64) -> Option<f64> {
    (burn_rate > 0.0).then(|| period.secs() / burn_rate)
}

/// Events in a window below which a single bad event would exceed the threshold.
#[must_use]
pub fn events_under_which_one_fires(pair: &Pair, budget: f64) -> f64 {
    1.0 / threshold(pair, budget)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock, PAIRS, Window};

    #[test]
    fn detection_and_reset_times_are_those_of_the_workbook() {
        let fast = Clock::Lab.pairs()[0];
        for (ratio, detect, end) in [(1.0, 0.864, 4.928), (0.1, 8.64, 4.28), (0.02, 43.2, 1.4)] {
            assert!((detection(&fast, 0.001, ratio).unwrap() - detect).abs() < 1e-9);
            assert!((reset(&fast, 0.001, ratio).unwrap() - end).abs() < 1e-9);
        }
        assert_eq!(detection(&fast, 0.001, 0.0144), None, "equal to the threshold is not above it");
    }

    #[test]
    fn a_burn_of_14_4_empties_30_days_in_50_hours() {
        let seconds = exhaustion(Window::days(30), 14.4).unwrap();
        assert!((seconds / 3600.0 - 50.0).abs() < 1e-9);
    }

    #[test]
    fn one_error_in_fewer_than_70_requests_would_page_at_99_9() {
        assert_eq!(events_under_which_one_fires(&PAIRS[0], 0.001).floor(), 69.0);
    }
}
