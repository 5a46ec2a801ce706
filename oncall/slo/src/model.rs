//! An objective, once its spec has been read and checked.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{Window, selector::Selector};

/// A service level objective.
#[derive(Debug, Clone)]
pub struct Slo {
    /// Kebab-case, unique: the label `slo`.
    pub name: String,
    /// Its name in sentences.
    pub title: String,
    /// The service that keeps it: the label `service`.
    pub service: String,
    /// The team that is responsible for it.
    pub owner: String,
    /// The promise to users, in a sentence.
    pub promise: String,
    /// Why the objective is as high as it is.
    pub reason: String,
    /// What is measured, in words.
    pub description: String,
    /// How it is measured.
    pub sli: Sli,
    /// Share of good events that is promised, above 0 and below 1.
    pub objective: f64,
    /// The time over which the budget is counted, on the production clock.
    pub period: Period,
    /// Bad events within a long window below which no alert fires, so that a single error never does. At least 1.
    pub minimum_errors: u32,
    /// Where it was read, for messages: file name and line of the name.
    pub origin: (String, u64),
    /// Lines of the fields that lints check.
    pub lines: BTreeMap<String, u64>,
}

/// What is counted. Selectors of counters, without a range.
#[derive(Debug, Clone)]
pub enum Sli {
    /// Bad events out of all events. If there is no series of bad events, there are none.
    Bad {
        /// Bad events.
        bad: Selector,
        /// All events.
        total: Selector,
    },
    /// Good events out of all events. If there is no series of good events, there are none.
    Good {
        /// Good events.
        good: Selector,
        /// All events.
        total: Selector,
    },
    /// Events of a classic histogram that took at most `threshold`.
    Latency {
        /// The histogram, without a suffix.
        histogram: Selector,
        /// In seconds; a bound of a bucket.
        threshold: f64,
    },
}

/// The time over which a budget is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// The last days, up to any moment.
    Rolling(Window),
    /// From the start of the current day, week, month or year in UTC.
    Calendar(Calendar),
}

/// A calendar period, in UTC: Prometheus knows no other time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Calendar {
    /// From midnight.
    Day,
    /// From Monday.
    Week,
    /// From the first of the month.
    Month,
    /// From the first of January.
    Year,
}

impl Period {
    /// Its length; for a calendar period, the longest one.
    #[must_use]
    pub const fn nominal(self) -> Window {
        match self {
            Self::Rolling(window) => window,
            Self::Calendar(Calendar::Day) => Window::days(1),
            Self::Calendar(Calendar::Week) => Window::days(7),
            Self::Calendar(Calendar::Month) => Window::days(31),
            Self::Calendar(Calendar::Year) => Window::days(366),
        }
    }
}

impl Slo {
    /// Share of bad events that the objective allows.
    #[must_use]
    pub fn budget(&self) -> f64 {
        1.0 - self.objective
    }

    /// Name of its alerts: `order-availability` is `OrderAvailabilityBudgetBurn`.
    #[must_use]
    pub fn alert(&self) -> String {
        alert_name(&self.name)
    }
}

/// Name of the alerts of an objective.
#[must_use]
pub fn alert_name(slo: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    format!("{}BudgetBurn", slo.split('-').map(word).collect::<String>())
}

impl Sli {
    /// Every selector that it uses, as Prometheus stores the series.
    #[must_use]
    pub fn selectors(&self) -> Vec<Selector> {
        match self {
            Self::Bad { bad, total } => vec![bad.clone(), total.clone()],
            Self::Good { good, total } => vec![good.clone(), total.clone()],
            Self::Latency { histogram, threshold } => {
                vec![histogram.bucket(*threshold), histogram.suffixed("_count")]
            }
        }
    }

    /// What it measures, in a few words.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Bad { .. } => "bad events of all events",
            Self::Good { .. } => "good events of all events",
            Self::Latency { .. } => "events within a time",
        }
    }
}
