//! Windows and factors: one table, two clocks. Rules, dashboards, Alertmanager's matchers and the tables of the runbooks are
//! written from it.
//!
//! The table is that of the Site Reliability Workbook, chapter 5 (with the 1d/2h row of its rule example). It is
//! independent of scale: divide the period and every window by the same number and keep the factors, and an alert
//! fires after the same share of the budget and at the same error ratio. So the lab's clock is the production
//! clock, 60 times as fast.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Window;

/// How urgent an alert is; the value of the label `severity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Wakes the person on call.
    Page,
    /// Can wait for working hours.
    Ticket,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Page => "page",
            Self::Ticket => "ticket",
        })
    }
}

/// One alert of an objective: fires while the error ratio over both windows is above `factor` times the budget. The
/// long window shows that it matters, the short one that it is still happening.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Pair {
    /// What dashboards call it: its severity, and which of the two it is.
    pub name: &'static str,
    /// What it does.
    pub severity: Severity,
    /// The window that measures how much was burned.
    pub long: Window,
    /// A twelfth of it: the window that ends the alert.
    pub short: Window,
    /// Multiple of the rate at which the budget would last exactly one period.
    pub factor: f64,
}

/// The pairs on the production clock, most urgent first.
pub const PAIRS: [Pair; 4] = [
    pair("page-fast", Severity::Page, Window::hours(1), Window::minutes(5), 14.4),
    pair("page-slow", Severity::Page, Window::hours(6), Window::minutes(30), 6.0),
    pair("ticket-fast", Severity::Ticket, Window::days(1), Window::hours(2), 3.0),
    pair("ticket-slow", Severity::Ticket, Window::days(3), Window::hours(6), 1.0),
];

/// The period of which the Workbook says what share a pair spends before it fires.
pub const PERIOD: Window = Window::days(30);

const fn pair(name: &'static str, severity: Severity, long: Window, short: Window, factor: f64) -> Pair {
    Pair { name, severity, long, short, factor }
}

/// On which clock rules run.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Clock {
    /// Real time: periods of weeks, windows of hours.
    Production,
    /// 60 times as fast: periods of hours, windows of seconds.
    Lab,
}

impl Clock {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Lab, Self::Production];

    /// The divisor of every window and of the period.
    #[must_use]
    pub const fn divisor(self) -> u64 {
        match self {
            Self::Production => 1,
            Self::Lab => 60,
        }
    }

    /// Name in file names and in the label `clock`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The clock of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|clock| clock.as_str() == name)
    }

    /// A production window on this clock.
    #[must_use]
    pub const fn scale(self, window: Window) -> Window {
        window.divided_by(self.divisor())
    }

    /// The pairs on this clock.
    #[must_use]
    pub fn pairs(self) -> [Pair; 4] {
        PAIRS.map(|pair| Pair { long: self.scale(pair.long), short: self.scale(pair.short), ..pair })
    }

    /// Every window of the pairs, each once, shortest first.
    #[must_use]
    pub fn windows(self) -> Vec<Window> {
        let mut windows: Vec<_> = self.pairs().into_iter().flat_map(|pair| [pair.short, pair.long]).collect();
        windows.sort_unstable();
        windows.dedup();
        windows
    }

    /// The shortest window, in which rules are evaluated five times.
    #[must_use]
    pub fn base(self) -> Window {
        self.scale(PAIRS[0].short)
    }

    /// How often rules of pages are evaluated. The lab scrapes as often; a production Prometheus scrapes at least
    /// as often, every 15 to 60 s.
    #[must_use]
    pub const fn evaluation(self) -> Window {
        self.scale(Window::minutes(1))
    }

    /// How often rules of tickets and of the whole period are evaluated: they change slowly and read many samples.
    #[must_use]
    pub const fn slow_evaluation(self) -> Window {
        self.scale(Window::minutes(5))
    }

    /// The period of an objective on this clock.
    #[must_use]
    pub fn period(self, slo: &crate::Slo) -> Window {
        self.scale(slo.period.nominal())
    }

    /// A budget that lasts less than this at the current rate ends soon: a day, and at most a tenth of the period.
    #[must_use]
    pub fn horizon(self, slo: &crate::Slo) -> Window {
        self.scale(Window::days(1).min(slo.period.nominal().divided_by(10)))
    }

    /// The week of the archived reports on this clock.
    #[must_use]
    pub const fn week(self) -> Window {
        self.scale(Window::days(7))
    }
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_short_window_is_a_twelfth_of_its_long_one_on_both_clocks() {
        for clock in Clock::ALL {
            for pair in clock.pairs() {
                assert_eq!(pair.short.as_secs() * 12, pair.long.as_secs(), "{clock} {pair:?}");
            }
        }
    }

    #[test]
    fn the_windows_of_the_lab_are_whole_seconds_and_at_least_five_scrapes() {
        let windows = Clock::Lab.pairs().map(|pair| (pair.long.to_string(), pair.short.to_string()));
        let expected = [("1m", "5s"), ("6m", "30s"), ("24m", "2m"), ("72m", "6m")];
        assert_eq!(windows, expected.map(|(long, short)| (long.to_owned(), short.to_owned())));
        assert_eq!(Clock::Lab.base().as_secs() / Clock::Lab.evaluation().as_secs(), 5);
    }

    #[test]
    fn each_pair_fires_after_its_share_of_a_30_day_budget() {
        let shares = PAIRS.map(|pair| pair.factor * pair.long.secs() / PERIOD.secs());
        for (share, expected) in shares.into_iter().zip([0.02, 0.05, 0.10, 0.10]) {
            assert!((share - expected).abs() < 1e-9, "{share} is not {expected}");
        }
    }
}
