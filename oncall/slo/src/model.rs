//! An objective, once its spec has been read and checked.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{Sla, Window, selector::Selector};

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
    /// What customers were sold, if anything.
    pub sla: Option<Sla>,
    /// When somebody looks again at whether the objective is right.
    pub review: Option<NaiveDate>,
    /// Services beside its own whose releases can hurt it: its spent budget freezes them, too.
    pub hurt_by: Vec<String>,
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
    /// Windows of time in which enough was done, of those in which enough was offered. Each evaluation of the shortest window
    /// is one event.
    Throughput(Flow),
}

/// A rate that has to be reached.
#[derive(Debug, Clone)]
pub struct Flow {
    /// What is done. If there is no series of it, nothing is done.
    pub done: Selector,
    /// What is offered.
    pub offered: Selector,
    /// Events per second that have to be done: a window with less is bad.
    pub floor: f64,
    /// Events per second from which on a window counts: with less on offer, nothing is expected.
    pub from: f64,
}

/// Which of an objective's alerts.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::EnumCount, strum::VariantArray,
)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// The budget burns too fast: pages and tickets.
    Burn,
    /// What is left of the budget will soon be gone: a ticket.
    EndsSoon,
    /// The budget is gone: a ticket.
    Spent,
}

impl AlertKind {
    /// All.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    /// What the name of the alert ends in.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Burn => "BudgetBurn",
            Self::EndsSoon => "BudgetEndsSoon",
            Self::Spent => "BudgetSpent",
        }
    }
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

    /// Whether a release of this service can hurt it.
    #[must_use]
    pub fn is_hurt_by(&self, service: &str) -> bool {
        self.service == service || self.hurt_by.iter().any(|other| other == service)
    }

    /// Name of its burn alerts: `order-availability` is `OrderAvailabilityBudgetBurn`.
    #[must_use]
    pub fn alert(&self) -> String {
        self.alert_of(AlertKind::Burn)
    }

    /// Name of one of its alerts.
    #[must_use]
    pub fn alert_of(&self, kind: AlertKind) -> String {
        let word = |word: &str| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        };
        format!("{}{}", self.name.split('-').map(word).collect::<String>(), kind.ending())
    }
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
            Self::Throughput(flow) => vec![flow.done.clone(), flow.offered.clone()],
        }
    }

    /// What it measures, in a few words.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Bad { .. } => "bad events of all events",
            Self::Good { .. } => "good events of all events",
            Self::Latency { .. } => "events within a time",
            Self::Throughput(_) => "windows with enough done",
        }
    }
}
