//! Reports of whole weeks, which outlive the metrics that they were computed from, and their trend.
//!
//! A week is 7 days from Monday, 00:00 UTC; on the lab's clock 168 minutes, counted in the same way.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{
    Format, json,
    past::{Past, PastLine, Range},
    write::{Cell, Page, share},
};
use crate::{Clock, Window, window::percent};

/// A week of a clock, by its number since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Week {
    clock: Clock,
    number: i64,
}

/// The first Monday of 1970 was the 5th of January.
const MONDAY: Window = Window::days(4);

impl Week {
    /// The week that contains a moment.
    #[must_use]
    pub fn of(clock: Clock, at: DateTime<Utc>) -> Self {
        let (first, length) = Self::grid(clock);
        Self { clock, number: (at.timestamp() - first).div_euclid(length) }
    }

    /// The weeks that were over at `now`, newest first.
    pub fn over(clock: Clock, now: DateTime<Utc>) -> impl Iterator<Item = Self> {
        let current = Self::of(clock, now).number;
        (1..).map(move |back| Self { clock, number: current - back })
    }

    /// From its start to that of the next one.
    #[must_use]
    pub fn range(self) -> Range {
        let (first, length) = Self::grid(self.clock);
        let start = first + self.number * length;
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::UNIX_EPOCH);
        Range { from: at(start), until: at(start + length) }
    }

    /// The name of its file: `production-2026-01-05T0000Z.json`. Files sort as their weeks.
    #[must_use]
    pub fn file(self) -> String {
        format!("{}-{}.json", self.clock, self.range().from.format("%Y-%m-%dT%H%MZ"))
    }

    /// When the first week began, and how long one is, in seconds.
    fn grid(clock: Clock) -> (i64, i64) {
        let seconds = |window: Window| i64::try_from(window.as_secs()).unwrap_or(i64::MAX);
        (seconds(clock.scale(MONDAY)), seconds(clock.week()))
    }
}

/// How an objective did in the newest week, compared with the week before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Less of the budget was spent.
    Better,
    /// As much, to a hundredth of the budget.
    Same,
    /// More of the budget was spent.
    Worse,
}

/// The archived weeks of a clock.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trend {
    /// The clock.
    pub clock: Clock,
    /// Starts of the weeks, oldest first.
    pub weeks: Vec<DateTime<Utc>>,
    /// One line per objective, in the order of the newest week.
    pub slos: Vec<TrendLine>,
}

/// One objective over the weeks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrendLine {
    /// Its name.
    pub slo: String,
    /// Its promise in the newest week.
    pub objective: f64,
    /// Share of good events of each week; `None` if nothing is known of it.
    pub sli: Vec<Option<f64>>,
    /// Share of a whole period's budget that was spent in each week.
    pub budget_spent: Vec<Option<f64>>,
    /// Weeks in which it was kept, and weeks of which something is known.
    pub kept: (usize, usize),
    /// Weeks for which a service credit is owed, and the largest share owed for one of them.
    pub owed: (usize, f64),
    /// The newest week compared with the one before; `None` if nothing is known of one of them.
    pub direction: Option<Direction>,
}

impl Direction {
    /// From what was spent in two weeks.
    #[must_use]
    pub fn between(before: f64, after: f64) -> Self {
        match after - before {
            change if change > 0.01 => Self::Worse,
            change if change < -0.01 => Self::Better,
            _ => Self::Same,
        }
    }

    /// As shown to people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Same => "same",
            Self::Worse => "worse",
        }
    }
}

impl Trend {
    /// From the reports of weeks, in any order; those of another clock are left out, and so are all but the newest `most`.
    #[must_use]
    pub fn new(clock: Clock, weeks: &[Past], most: usize) -> Self {
        let mut own: Vec<&Past> = weeks.iter().filter(|week| week.clock == clock).collect();
        own.sort_by_key(|week| week.range.from);
        let own = &own[own.len().saturating_sub(most)..];
        let slos = own.last().map_or(&[][..], |newest| newest.slos.as_slice());
        Self {
            clock,
            weeks: own.iter().map(|week| week.range.from).collect(),
            slos: slos.iter().map(|line| TrendLine::new(line, own)).collect(),
        }
    }

    /// The trend as text of this format.
    ///
    /// # Errors
    /// When JSON cannot be written, which does not happen with numbers that were read from JSON.
    pub fn write(&self, format: Format) -> Result<String, serde_json::Error> {
        if format == Format::Json { json(self) } else { Ok(self.page().write(format)) }
    }

    fn page(&self) -> Page {
        let heads = ["SLO", "objective"].map(str::to_owned).into_iter();
        let weeks = self.weeks.iter().map(|week| week.format(self.date()).to_string());
        let rest = ["kept", "budget spent", "trend", "SLA"].map(str::to_owned);
        Page {
            title: "SLO trend",
            about: format!(
                "{} weeks of {}, {} clock; the share of good events of each",
                self.weeks.len(),
                self.clock.week(),
                self.clock
            ),
            heads: heads.chain(weeks).chain(rest).collect(),
            rows: self.slos.iter().map(|line| (line.cells(), None)).collect(),
            notes: vec![
                "The trend compares what the newest week spent of a period's budget with the week before."
                    .to_owned(),
            ],
        }
    }

    /// Weeks of the lab begin several times a day.
    const fn date(&self) -> &'static str {
        match self.clock {
            Clock::Production => "%Y-%m-%d",
            Clock::Lab => "%m-%d %H:%M",
        }
    }
}

impl TrendLine {
    fn new(newest: &PastLine, weeks: &[&Past]) -> Self {
        let lines: Vec<Option<&PastLine>> =
            weeks.iter().map(|week| week.slos.iter().find(|line| line.slo == newest.slo)).collect();
        let known: Vec<bool> = lines.iter().flatten().filter_map(|line| line.kept()).collect();
        let owed: Vec<f64> = lines
            .iter()
            .flatten()
            .filter_map(|line| line.sla.as_ref()?.owed)
            .filter(|owed| *owed > 0.0)
            .collect();
        let spent: Vec<Option<f64>> =
            lines.iter().map(|line| line.and_then(|line| line.budget_spent)).collect();
        let direction = match spent.as_slice() {
            [.., Some(before), Some(after)] => Some(Direction::between(*before, *after)),
            _ => None,
        };
        Self {
            slo: newest.slo.clone(),
            objective: newest.objective,
            sli: lines.iter().map(|line| line.and_then(|line| line.sli)).collect(),
            budget_spent: spent,
            kept: (known.iter().filter(|kept| **kept).count(), known.len()),
            owed: (owed.len(), owed.into_iter().fold(0.0, f64::max)),
            direction,
        }
    }

    fn cells(&self) -> Vec<Cell> {
        let week = |sli: &Option<f64>| match sli {
            None => Cell::of("no-data", "-".to_owned()),
            Some(sli) if *sli < self.objective => Cell::of("violated", format!("{} missed", share(*sli))),
            Some(sli) => Cell::from(share(*sli)),
        };
        let spent = self.budget_spent.last().copied().flatten();
        let (weeks, most) = self.owed;
        let owed = match weeks {
            0 => Cell::from("nothing owed".to_owned()),
            1 => Cell::of("violated", format!("1 week owed, {}", percent(most))),
            _ => Cell::of("violated", format!("{weeks} weeks owed, at most {}", percent(most))),
        };
        let first = [Cell::from(self.slo.clone()), percent(self.objective).into()];
        let last = [
            format!("{} of {}", self.kept.0, self.kept.1).into(),
            super::write::known(spent, share).into(),
            self.direction.map_or("-", Direction::as_str).to_owned().into(),
            owed,
        ];
        first.into_iter().chain(self.sli.iter().map(week)).chain(last).collect()
    }
}
