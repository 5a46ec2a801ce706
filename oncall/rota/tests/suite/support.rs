//! What several tests need.

use std::{fs, path::Path};

use chrono::{DateTime, Utc};
use rota::{Rota, Schedule};

/// An instant.
pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A file of the checkout.
pub(crate) fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The committed file.
pub(crate) fn committed() -> String {
    file("oncall.yaml")
}

/// Reads a file that has to be sound.
pub(crate) fn sound(text: &str) -> Rota {
    rota::read("oncall.yaml", text).unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}

/// Three people, and one schedule whose fields after `zone` are given, indented by four spaces.
pub(crate) fn with_schedule(zone: &str, fields: &str) -> String {
    format!(
        "people:\n  - {{name: ada, zone: Europe/Berlin}}\n  - {{name: ben, zone: Europe/Berlin}}\n  \
         - {{name: cleo, zone: Europe/Berlin}}\nschedules:\n  - name: first-line\n    zone: {zone}\n{fields}"
    )
}

/// The name of the primary.
pub(crate) fn primary(schedule: &Schedule, at: DateTime<Utc>) -> String {
    schedule.primary(at).unwrap_or_else(|| panic!("nobody is on call at {at}: {schedule:?}")).person
}

/// Shifts that follow one another from begin to end, each with the primary of its instants.
pub(crate) fn tiles(schedule: &Schedule, from: DateTime<Utc>, until: DateTime<Utc>) {
    let shifts = schedule.shifts(from, until);
    let mut end = from;
    for shift in &shifts {
        assert_eq!(shift.from, end, "a gap or an overlap in {schedule:?}");
        assert!(shift.until > shift.from, "an empty shift in {schedule:?}");
        for at in [
            shift.from,
            shift.from + (shift.until - shift.from) / 2,
            shift.until - chrono::TimeDelta::seconds(1),
        ] {
            assert_eq!(schedule.primary(at).as_ref(), Some(&shift.primary), "at {at} in {schedule:?}");
        }
        end = shift.until;
    }
    assert_eq!(end, until, "the last shift ends too early in {schedule:?}");
}
