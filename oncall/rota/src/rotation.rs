//! People who take turns: hand-offs at wall times of a zone, every n hours, days, weeks or months.
//!
//! A hand-off is the start plus a whole number of steps of the calendar, not of seconds: a change of clocks makes one
//! shift longer or shorter and moves no later hand-off. The rotation has no beginning: the start only says when the
//! first person's turn begins.

use chrono::{DateTime, Datelike as _, Months, NaiveDateTime, TimeDelta, Utc};
use serde::Serialize;

use crate::Zone;

/// What a step of a rotation is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::EnumString, strum::IntoStaticStr, strum::VariantNames,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Unit {
    /// Hours of the wall clock.
    Hour,
    /// Days.
    Day,
    /// Weeks.
    Week,
    /// Months; a start on the 31st means the last day of shorter months.
    Month,
}

impl Unit {
    /// Names, for messages.
    pub const NAMES: &'static str = "hour, day, week or month";

    /// Seconds of wall time, if it has a fixed number.
    const fn seconds(self) -> Option<i64> {
        match self {
            Self::Hour => Some(3600),
            Self::Day => Some(24 * 3600),
            Self::Week => Some(7 * 24 * 3600),
            Self::Month => None,
        }
    }
}

/// People who take turns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rotation {
    /// Whose wall time hand-offs mean.
    pub zone: Zone,
    /// Units per turn; at least 1.
    pub every: u32,
    /// The unit.
    pub unit: Unit,
    /// A hand-off to the first person, in wall time.
    pub start: NaiveDateTime,
    /// Names, in order; at least one.
    pub people: Vec<String>,
}

/// One person's turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn<'a> {
    /// Counted from the start; negative before it.
    pub number: i64,
    /// Whose turn it is.
    pub person: &'a str,
    /// When it began.
    pub from: DateTime<Utc>,
    /// When it ends: the next turn begins at this instant.
    pub until: DateTime<Utc>,
}

impl Rotation {
    /// When turn `number` begins.
    #[must_use]
    pub fn handoff(&self, number: i64) -> DateTime<Utc> {
        let steps = number.saturating_mul(i64::from(self.every));
        let wall = match self.unit.seconds() {
            Some(seconds) => TimeDelta::try_seconds(steps.saturating_mul(seconds))
                .and_then(|passed| self.start.checked_add_signed(passed)),
            None => {
                let months = Months::new(u32::try_from(steps.unsigned_abs()).unwrap_or(u32::MAX));
                if steps < 0 {
                    self.start.checked_sub_months(months)
                } else {
                    self.start.checked_add_months(months)
                }
            }
        };
        self.zone.first(wall.unwrap_or(self.start))
    }

    /// The turn at an instant.
    #[must_use]
    pub fn turn(&self, at: DateTime<Utc>) -> Turn<'_> {
        let mut number = self.estimate(at);
        // Wall time is at most a day or so off, so this takes a few steps.
        while self.handoff(number) > at {
            number -= 1;
        }
        while self.handoff(number + 1) <= at {
            number += 1;
        }
        let (from, until) = (self.handoff(number), self.handoff(number + 1));
        Turn { number, person: self.person(number), from, until }
    }

    /// Hand-offs inside a span, both ends excluded.
    #[must_use]
    pub fn handoffs(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let mut found = Vec::new();
        let mut number = self.turn(from).number + 1;
        let mut at = self.handoff(number);
        while at < until {
            if at > from {
                found.push(at);
            }
            number += 1;
            at = self.handoff(number);
        }
        found
    }

    fn person(&self, number: i64) -> &str {
        let people = i64::try_from(self.people.len()).unwrap_or(i64::MAX).max(1);
        let index = usize::try_from(number.rem_euclid(people)).unwrap_or_default();
        self.people.get(index).map_or("", String::as_str)
    }

    /// The turn if wall time never jumped.
    fn estimate(&self, at: DateTime<Utc>) -> i64 {
        let (wall, every) = (self.zone.local(at), i64::from(self.every.max(1)));
        match self.unit.seconds() {
            Some(seconds) => (wall - self.start).num_seconds().div_euclid(seconds * every),
            None => {
                let months = |time: NaiveDateTime| i64::from(time.year()) * 12 + i64::from(time.month0());
                (months(wall) - months(self.start)).div_euclid(every)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rotation(zone: &str, every: u32, unit: Unit, start: &str) -> Rotation {
        let start = NaiveDateTime::parse_from_str(start, "%Y-%m-%dT%H:%M").unwrap();
        let people = ["ada", "ben", "cleo"].map(str::to_owned).to_vec();
        Rotation { zone: Zone::named(zone).unwrap(), every, unit, start, people }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn weekly_hand_offs_keep_their_wall_time_when_clocks_change() {
        let weekly = rotation("Europe/Berlin", 1, Unit::Week, "2026-03-23T09:00");
        assert_eq!(weekly.handoff(0), at("2026-03-23T08:00:00Z"));
        assert_eq!(weekly.handoff(1), at("2026-03-30T07:00:00Z"), "09:00 in summer time: 167 hours later");
        assert_eq!(weekly.turn(at("2026-03-30T06:59:59Z")).person, "ada");
        assert_eq!(weekly.turn(at("2026-03-30T07:00:00Z")).person, "ben");
    }

    #[test]
    fn turns_before_the_start_run_backwards() {
        let daily = rotation("UTC", 2, Unit::Day, "2026-01-05T09:00");
        assert_eq!(daily.turn(at("2026-01-05T08:59:59Z")).person, "cleo");
        assert_eq!(daily.turn(at("2026-01-03T08:59:59Z")).person, "ben");
        assert_eq!(daily.turn(at("2026-01-05T09:00:00Z")).number, 0);
    }

    #[test]
    fn a_month_that_is_too_short_hands_off_on_its_last_day() {
        let monthly = rotation("UTC", 1, Unit::Month, "2026-01-31T09:00");
        assert_eq!(monthly.handoff(1), at("2026-02-28T09:00:00Z"));
        assert_eq!(monthly.handoff(2), at("2026-03-31T09:00:00Z"), "counted from the start: no drift");
        assert_eq!(monthly.handoff(-1), at("2025-12-31T09:00:00Z"));
        assert_eq!(monthly.turn(at("2026-02-28T08:00:00Z")).number, 0);
    }

    #[test]
    fn hourly_hand_offs_follow_the_wall_clock() {
        let hourly = rotation("Europe/Berlin", 1, Unit::Hour, "2026-10-25T00:00");
        // 02:00 comes twice; the turn that begins at the first 02:00 lasts until 03:00, two hours later.
        let turn = hourly.turn(at("2026-10-25T01:30:00Z"));
        assert_eq!((turn.from, turn.until), (at("2026-10-25T00:00:00Z"), at("2026-10-25T02:00:00Z")));
        let spring = rotation("Europe/Berlin", 1, Unit::Hour, "2026-03-29T00:00");
        // 02:00 never comes: its turn has no length.
        assert_eq!(spring.handoff(2), spring.handoff(3));
        assert_eq!(spring.turn(at("2026-03-29T01:00:00Z")).number, 3);
    }

    #[test]
    fn a_whole_day_that_is_skipped_takes_the_turns_of_its_hours_along() {
        let hourly = rotation("Pacific/Apia", 1, Unit::Hour, "2011-12-29T00:00");
        let turn = hourly.turn(at("2011-12-30T10:00:00Z"));
        assert_eq!(turn.from, at("2011-12-30T10:00:00Z"));
        assert_eq!(
            hourly.handoffs(at("2011-12-30T09:30:00Z"), at("2011-12-30T11:30:00Z")).last(),
            Some(&at("2011-12-30T11:00:00Z"))
        );
    }
}
