//! Questions about the schedules: who is on call and who is next, shifts of a span, calendars, the report.

use chrono::{DateTime, TimeDelta, Utc};
use rota::{
    Person, Rota, Schedule, Shift,
    check::{Report, check},
    ical::{Export, calendar},
    schedule::Primary,
};
use serde::Serialize;

use super::Duty;
use crate::error::{Error, Result};

/// How many days it looks ahead for the next person: short first, because most hand-offs are near.
const SIGHT: [i64; 2] = [3, 45];
/// Longest span of shifts, in days: a year with a margin.
const LONGEST: i64 = 400;
/// Days of a calendar; a program that subscribes fetches it again.
const CALENDAR: i64 = 90;
/// Minutes before a shift at which a calendar reminds.
const REMINDER: u32 = 30;

/// Who is on call in a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OnCall {
    /// Name of the schedule.
    pub schedule: String,
    /// Who is primary, and why.
    pub primary: Option<Primary>,
    /// When another person becomes primary; absent if that is more than 45 days away.
    pub until: Option<DateTime<Utc>>,
    /// Who that is.
    pub next: Option<String>,
    /// Who is on call in addition.
    pub added: Vec<String>,
}

impl Duty {
    /// Who is on call at an instant, in the order of the file.
    #[must_use]
    pub fn now(&self, at: DateTime<Utc>) -> Vec<OnCall> {
        self.rota().rota.schedules.iter().map(|schedule| on_call(schedule, at)).collect()
    }

    /// The shifts of a span of at most 400 days, oldest first, cut at its ends.
    ///
    /// # Errors
    /// When the schedule is unknown or the span is wrong.
    pub fn shifts(&self, schedule: &str, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<Shift>> {
        let state = self.rota();
        let schedule = known(&state.rota, schedule)?;
        if until <= from {
            return Err(Error::field("until", format!("expected a time after {from}, found {until}")));
        }
        if until - from > TimeDelta::days(LONGEST) {
            return Err(Error::field("until", format!("expected at most {LONGEST} days after {from}")));
        }
        Ok(schedule.shifts(from, until))
    }

    /// Gaps, balance, nights, weekends and hand-offs of the next 52 weeks.
    #[must_use]
    pub fn report(&self, now: DateTime<Utc>) -> Report {
        check(&self.rota().rota, now)
    }

    /// The calendar of a schedule, or of one person's shifts in it, for the next 90 days.
    ///
    /// # Errors
    /// When the schedule or the person is unknown.
    pub fn ical(&self, schedule: &str, person: Option<&str>, now: DateTime<Utc>) -> Result<String> {
        let state = self.rota();
        let schedule = known(&state.rota, schedule)?;
        if let Some(person) = person {
            known_person(&state.rota, person)?;
        }
        let until = now + TimeDelta::days(CALENDAR);
        let export = Export { person, from: now, until, now, reminder: Some(REMINDER) };
        Ok(calendar(&state.rota, schedule, &export))
    }

    /// Everybody of the file, by name.
    #[must_use]
    pub fn people(&self) -> Vec<Person> {
        self.rota().rota.people.values().cloned().collect()
    }
}

fn on_call(schedule: &Schedule, at: DateTime<Utc>) -> OnCall {
    let primary = schedule.primary(at);
    let other = |days: i64| {
        let shifts = schedule.shifts(at, at + TimeDelta::days(days)).into_iter();
        let mut others =
            shifts.filter(|shift| primary.as_ref().is_none_or(|now| now.person != shift.primary.person));
        others.next()
    };
    let (until, next) =
        SIGHT.into_iter().find_map(other).map(|shift| (shift.from, shift.primary.person)).unzip();
    let added = schedule.added(at);
    OnCall { schedule: schedule.name.clone(), primary, until, next, added }
}

fn known<'r>(rota: &'r Rota, schedule: &str) -> Result<&'r Schedule> {
    rota.schedule(schedule).ok_or_else(|| no_schedule(rota, schedule))
}

/// There is no schedule of this name.
pub(super) fn no_schedule(rota: &Rota, name: &str) -> Error {
    let names = rota.schedules.iter().map(|schedule| schedule.name.as_str());
    no_such("schedule", name, names)
}

/// A person of the file.
pub(super) fn known_person<'r>(rota: &'r Rota, name: &str) -> Result<&'r Person> {
    let unknown = || no_such("person", name, rota.people.keys().map(String::as_str));
    rota.people.get(name).ok_or_else(unknown)
}

/// There is nothing of this name.
pub(super) fn no_such<'n>(what: &'static str, name: &str, known: impl Iterator<Item = &'n str>) -> Error {
    let known: Vec<&str> = known.collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Error::NoSuch { what, name: name.to_owned(), known }
}
