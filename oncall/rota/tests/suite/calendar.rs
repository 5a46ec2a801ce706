//! The iCalendar export: what calendar programs rely on.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use rota::ical::{Export, calendar};

use crate::support::{at, committed, sound};

fn export<'a>(person: Option<&'a str>, from: DateTime<Utc>) -> Export<'a> {
    Export { person, from, until: from + TimeDelta::days(90), now: from, reminder: Some(30) }
}

/// Values of a property, in order.
fn values<'t>(text: &'t str, property: &'t str) -> Vec<&'t str> {
    let lines = text.split("\r\n");
    lines.filter_map(|line| line.strip_prefix(property)?.strip_prefix(':')).collect()
}

#[test]
fn events_follow_one_another_and_have_unique_ids() {
    let rota = sound(&committed());
    let schedule = rota.schedule("first-line").expect("a schedule");
    let text = calendar(&rota, schedule, &export(None, at("2026-01-07T12:00:00Z")));
    assert!(text.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"), "{text}");
    assert!(text.ends_with("END:VCALENDAR\r\n"), "{text}");
    assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "every line ends with CRLF");
    assert!(text.split("\r\n").all(|line| line.len() <= 75));
    let (starts, ends, ids) = (values(&text, "DTSTART"), values(&text, "DTEND"), values(&text, "UID"));
    assert_eq!(starts.len(), text.matches("BEGIN:VEVENT").count());
    assert_eq!(starts[1..], ends[..ends.len() - 1], "each shift begins when the one before it ends");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), starts.len());
    assert_eq!(starts[0], "20260107T050000Z", "the shift that has begun already keeps its begin");
    assert!(text.contains("SUMMARY:Ben Larsson is on call (first-line)"), "{text}");
}

#[test]
fn an_event_has_the_same_id_after_every_export() {
    let rota = sound(&committed());
    let schedule = rota.schedule("second-line").expect("a schedule");
    let ids = |from| {
        let text = calendar(&rota, schedule, &export(None, at(from)));
        values(&text, "UID").into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let (today, tomorrow) = (ids("2026-03-03T10:00:00Z"), ids("2026-03-04T10:00:00Z"));
    assert_eq!(today[0], "second-line-ben-20260301T080000Z@sre-lab");
    assert_eq!(today, tomorrow[..today.len()]);
}

#[test]
fn a_person_gets_only_their_own_shifts_with_a_reminder_each() {
    let rota = sound(&committed());
    let schedule = rota.schedule("second-line").expect("a schedule");
    let text = calendar(&rota, schedule, &export(Some("ada"), at("2026-01-10T00:00:00Z")));
    assert_eq!(values(&text, "DTSTART"), ["20260201T080000Z"]);
    assert_eq!(values(&text, "TRIGGER"), ["-PT30M"]);
}
