//! Wall time in an IANA zone, and the one rule that turns it into instants: a wall time means the first instant at
//! which a clock on the wall shows that time or a later one.
//!
//! So a time that occurs twice (clocks go back) means its first occurrence, a time that never occurs (clocks go
//! forward) means the moment after the gap, and later wall times never mean earlier instants. Starts and ends follow
//! the same rule, which is why two shifts neither overlap nor leave a gap.
//!
//! The database is compiled in: the same file means the same instants on every machine.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// No zone was ever further from UTC, in seconds.
const FURTHEST: i64 = 16 * 3600;

/// A zone of the IANA database.
#[derive(Clone)]
pub struct Zone {
    name: String,
    rules: TimeZone,
}

impl Zone {
    /// The zone with an IANA name, such as `Europe/Berlin` or `UTC`.
    ///
    /// # Errors
    /// A sentence that says what was expected, with a zone of the same city if there is one.
    pub fn named(name: &str) -> Result<Self, String> {
        if let Ok(rules) = TimeZone::get(name) {
            return Ok(Self { name: name.to_owned(), rules });
        }
        let city = |name: &str| name.rsplit('/').next().unwrap_or(name).to_lowercase().replace(' ', "_");
        let near = Self::names().into_iter().find(|known| city(known) == city(name));
        let hint =
            near.map_or_else(|| "an IANA name such as Europe/Berlin".to_owned(), |near| format!("`{near}`"));
        Err(format!("`{name}` is not a time zone: expected {hint}"))
    }

    /// Names of all zones of the database.
    #[must_use]
    pub fn names() -> Vec<String> {
        jiff::tz::db().available().map(|name| name.to_string()).collect()
    }

    /// Its IANA name, as it was written.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a clock on the wall shows at an instant.
    #[must_use]
    pub fn local(&self, at: DateTime<Utc>) -> NaiveDateTime {
        let offset = TimeDelta::seconds(self.offset(at.timestamp()));
        at.checked_add_signed(offset).unwrap_or(at).naive_utc()
    }

    /// The first instant at which a clock on the wall shows `wall` or a later time. Whole seconds.
    ///
    /// Assumes that a zone does not change its offset twice within 32 hours.
    #[must_use]
    pub fn first(&self, wall: NaiveDateTime) -> DateTime<Utc> {
        let wall = wall.and_utc().timestamp();
        let (low, high) = (wall - FURTHEST, wall + FURTHEST);
        let (before, after) = (self.offset(low), self.offset(high));
        if before == after {
            return instant(wall - before);
        }
        let change = self.change(low, high);
        let early = wall - before;
        // Before the change the clock has not come this far: it shows `wall` afterwards, or has skipped it.
        instant(if early < change { early } else { change.max(wall - after) })
    }

    /// The first second after `low` with another offset than at `low`; at `high` the offset is a different one.
    fn change(&self, low: i64, high: i64) -> i64 {
        let (before, mut low, mut high) = (self.offset(low), low, high);
        while high - low > 1 {
            let middle = i64::midpoint(low, high);
            if self.offset(middle) == before { low = middle } else { high = middle }
        }
        high
    }

    /// Instants in a span at which the offset changes, for tests and for reports. Whole seconds, oldest first.
    #[must_use]
    pub fn changes(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let (mut at, until) = (from.timestamp(), until.timestamp());
        let mut found = Vec::new();
        while at < until {
            let next = (at + FURTHEST).min(until);
            if self.offset(at) != self.offset(next) {
                found.push(instant(self.change(at, next)));
            }
            at = next;
        }
        found
    }

    /// Seconds east of UTC.
    fn offset(&self, second: i64) -> i64 {
        Timestamp::from_second(second).map_or(0, |at| i64::from(self.rules.to_offset(at).seconds()))
    }
}

fn instant(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap_or_default()
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zone({})", self.name)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::named(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(zone: &str, wall: &str) -> String {
        let wall = NaiveDateTime::parse_from_str(wall, "%Y-%m-%d %H:%M").unwrap();
        Zone::named(zone).unwrap().first(wall).format("%Y-%m-%d %H:%M").to_string()
    }

    #[test]
    fn a_time_that_occurs_twice_means_its_first_occurrence() {
        assert_eq!(first("Europe/Berlin", "2026-10-25 02:30"), "2026-10-25 00:30");
        assert_eq!(first("America/New_York", "2026-11-01 01:30"), "2026-11-01 05:30");
        assert_eq!(
            first("Europe/Berlin", "2026-10-25 03:00"),
            "2026-10-25 02:00",
            "the only 03:00 is the later one"
        );
        // Half an hour on Lord Howe Island: 02:00 becomes 01:30.
        assert_eq!(first("Australia/Lord_Howe", "2026-04-05 01:45"), "2026-04-04 14:45");
    }

    #[test]
    fn a_time_that_never_occurs_means_the_moment_after_the_gap() {
        assert_eq!(first("Europe/Berlin", "2026-03-29 02:30"), "2026-03-29 01:00");
        assert_eq!(
            first("Australia/Lord_Howe", "2026-10-04 02:15"),
            "2026-10-03 15:30",
            "02:00 became 02:30"
        );
        // Samoa had no 30 December 2011.
        assert_eq!(first("Pacific/Apia", "2011-12-30 09:00"), "2011-12-30 10:00");
    }

    #[test]
    fn an_ordinary_time_is_converted_back_and_forth() {
        for (zone, wall, utc) in [
            ("UTC", "2026-06-01 09:00", "2026-06-01 09:00"),
            ("Asia/Kolkata", "2026-06-01 09:00", "2026-06-01 03:30"),
            ("Pacific/Kiritimati", "2026-06-01 09:00", "2026-05-31 19:00"),
            ("Europe/Berlin", "2026-10-25 04:00", "2026-10-25 03:00"),
        ] {
            assert_eq!(first(zone, wall), utc);
            let at = NaiveDateTime::parse_from_str(utc, "%Y-%m-%d %H:%M").unwrap().and_utc();
            assert_eq!(Zone::named(zone).unwrap().local(at).format("%Y-%m-%d %H:%M").to_string(), wall);
        }
    }

    #[test]
    fn an_unknown_zone_is_refused_with_a_hint() {
        assert_eq!(
            Zone::named("Berlin").unwrap_err(),
            "`Berlin` is not a time zone: expected `Europe/Berlin`"
        );
        let problem = Zone::named("CET+1").unwrap_err();
        assert!(problem.contains("expected an IANA name such as Europe/Berlin"), "{problem}");
    }
}
