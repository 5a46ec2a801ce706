//! Windows of the week in a zone: when a layer counts, and when a gate of an escalation policy is open.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta, Timelike as _, Utc, Weekday};
use serde::{Deserialize, Serialize};

use crate::Zone;

/// Minutes per week.
pub const WEEK: usize = 7 * DAY;
/// Minutes per day.
const DAY: usize = 24 * 60;

/// One window: on each of its days from one time to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Days on which it begins, Monday first.
    pub days: [bool; 7],
    /// When it begins.
    pub from: NaiveTime,
    /// When it ends: the next day unless it is later than `from`. The same time means 24 hours.
    pub until: NaiveTime,
}

/// Windows in one zone; at least one, with at least one day each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Windows {
    /// Whose wall time the windows mean.
    pub zone: Zone,
    /// The windows; they may overlap.
    pub windows: Vec<Window>,
}

impl Window {
    fn begins(&self, day: Weekday) -> bool {
        self.days[day.num_days_from_monday() as usize]
    }

    /// The day after `from`, or the same.
    fn last_day(&self, day: NaiveDate) -> NaiveDate {
        if self.until > self.from { day } else { day + Days::new(1) }
    }
}

impl Windows {
    /// Begin and end of each window that begins on one of the days `first` to `last`.
    fn spans(
        &self,
        first: NaiveDate,
        last: NaiveDate,
    ) -> impl Iterator<Item = (DateTime<Utc>, DateTime<Utc>)> + '_ {
        let days = first.iter_days().take_while(move |day| *day <= last);
        days.flat_map(move |day| {
            let windows = self.windows.iter().filter(move |window| window.begins(day.weekday()));
            windows.map(move |window| {
                let until = window.last_day(day).and_time(window.until);
                (self.zone.first(day.and_time(window.from)), self.zone.first(until))
            })
        })
    }

    /// Whether an instant is inside a window.
    #[must_use]
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        let today = self.zone.local(at).date();
        // Two days, because a clock that goes back may show the day before once more.
        let mut spans = self.spans(today - Days::new(2), today + Days::new(1));
        spans.any(|(from, until)| from <= at && at < until)
    }

    /// The first instant from `at` on that is inside a window.
    #[must_use]
    pub fn next(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        if self.contains(at) {
            return at;
        }
        let today = self.zone.local(at).date();
        // A window that falls into a gap is empty. It returns a week later.
        let spans = self.spans(today - Days::new(1), today + Days::new(16));
        spans.filter(|(from, until)| *from >= at && from < until).map(|(from, _)| from).min().unwrap_or(at)
    }

    /// Instants in a span at which a window begins or ends.
    #[must_use]
    pub fn edges(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let margin = TimeDelta::days(2);
        let (first, last) = (self.zone.local(from - margin).date(), self.zone.local(until + margin).date());
        let edges = self.spans(first, last).flat_map(|(from, until)| [from, until]);
        edges.filter(|at| from < *at && *at < until).collect()
    }

    /// Marks the minutes of a week (Monday 00:00 first) of wall time that are inside a window.
    pub(crate) fn mark(&self, week: &mut [bool; WEEK]) {
        for window in &self.windows {
            let (from, until) = (minute(window.from), minute(window.until));
            let length = if until > from { until - from } else { DAY - from + until };
            for day in (0..7).filter(|day| window.days[*day]) {
                for passed in 0..length {
                    week[(day * DAY + from + passed) % WEEK] = true;
                }
            }
        }
    }
}

fn minute(time: NaiveTime) -> usize {
    (time.num_seconds_from_midnight() / 60) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(zone: &str, days: [bool; 7], from: (u32, u32), until: (u32, u32)) -> Windows {
        let time = |(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
        let window = Window { days, from: time(from), until: time(until) };
        Windows { zone: Zone::named(zone).unwrap(), windows: vec![window] }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_over_midnight_ends_the_next_day() {
        let nights = windows("UTC", [true, false, false, false, false, false, false], (22, 0), (6, 0));
        // 2026-06-01 is a Monday.
        assert!(!nights.contains(at("2026-06-01T21:59:59Z")));
        assert!(nights.contains(at("2026-06-01T22:00:00Z")));
        assert!(nights.contains(at("2026-06-02T05:59:59Z")));
        assert!(!nights.contains(at("2026-06-02T06:00:00Z")));
        assert_eq!(nights.next(at("2026-06-02T06:00:00Z")), at("2026-06-08T22:00:00Z"));
        assert_eq!(nights.next(at("2026-06-02T01:00:00Z")), at("2026-06-02T01:00:00Z"));
    }

    #[test]
    fn a_window_that_begins_in_the_repeated_hour_begins_once() {
        let late = windows("Europe/Berlin", [true; 7], (2, 30), (9, 0));
        assert!(!late.contains(at("2026-10-25T00:29:59Z")), "before the first 02:30");
        assert!(late.contains(at("2026-10-25T00:30:00Z")), "from the first 02:30");
        assert!(late.contains(at("2026-10-25T01:10:00Z")), "also at the second 02:10");
    }

    #[test]
    fn the_minutes_of_a_week_are_those_of_the_wall() {
        let mut week = [false; WEEK];
        windows("UTC", [false, false, false, false, false, false, true], (22, 0), (6, 0)).mark(&mut week);
        assert_eq!(week.iter().filter(|marked| **marked).count(), 8 * 60);
        assert!(week[0] && week[6 * 60 - 1] && !week[6 * 60], "Sunday's window ends on Monday");
        let mut week = [false; WEEK];
        windows("UTC", [true; 7], (9, 0), (9, 0)).mark(&mut week);
        assert!(week.iter().all(|marked| *marked), "the same time means 24 hours");
    }
}
