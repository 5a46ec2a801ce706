//! Parts that schedules and policies share: rotations, windows, spans.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_saphyr::Spanned;

use super::{Reader, Values as _, raw, values};
use crate::{Person, Rotation, Windows, Zone, rotation::Unit, windows::Window};

/// Longest override and longest temporary schedule.
const LONGEST: TimeDelta = TimeDelta::days(366);

/// A rotation of `known` people.
pub(super) fn rotation(
    reader: &mut Reader,
    raw: &raw::Rotation,
    field: &str,
    zone: &Zone,
    known: &BTreeMap<String, Person>,
) -> Option<Rotation> {
    let at = |name: &str| format!("{field}.{name}");
    let text = raw.unit.value.text();
    let unit = text.parse::<Unit>();
    let unit = unit.map_err(|_| format!("expected {}, found `{text}`", Unit::NAMES));
    let unit = reader.take(&raw.unit, &at("unit"), unit);
    let every = match &raw.every {
        None => Some(1),
        Some(every) => reader.take(every, &at("every"), yaml::within(every.value, 1, 1000)),
    };
    let start = reader.take(&raw.start, &at("start"), values::wall(&raw.start.value));
    if raw.people.value.is_empty() {
        reader.wrong(&raw.people, &at("people"), "empty: expected at least one person");
        return None;
    }
    let mut people = Vec::new();
    for (index, person) in reader.list(&at("people"), &raw.people.value).iter().enumerate() {
        people.push(reader.known(person, &at(&format!("people[{index}]")), "people", known.keys()));
    }
    let people = people.into_iter().collect::<Option<Vec<_>>>()?;
    Some(Rotation { zone: zone.clone(), every: every?, unit: unit?, start: start?, people })
}

/// Windows of the week; at least one.
pub(super) fn windows(
    reader: &mut Reader,
    raw: &Spanned<Vec<Spanned<raw::Window>>>,
    field: &str,
    zone: &Zone,
) -> Option<Windows> {
    if raw.value.is_empty() {
        reader.wrong(
            raw,
            field,
            "empty: expected at least one window, such as {from: \"09:00\", until: \"17:00\"}",
        );
        return None;
    }
    let mut windows = Vec::new();
    for (index, raw) in reader.list(field, &raw.value).iter().enumerate() {
        windows.push(window(reader, &raw.value, &format!("{field}[{index}]")));
    }
    let windows = windows.into_iter().collect::<Option<Vec<_>>>()?;
    Some(Windows { zone: zone.clone(), windows })
}

fn window(reader: &mut Reader, raw: &raw::Window, field: &str) -> Option<Window> {
    let from = reader.take(&raw.from, &format!("{field}.from"), values::time(&raw.from.value));
    let until = reader.take(&raw.until, &format!("{field}.until"), values::time(&raw.until.value));
    let days = match &raw.days {
        None => Some([true; 7]),
        Some(days) => self::days(reader, days, &format!("{field}.days")),
    };
    Some(Window { days: days?, from: from?, until: until? })
}

fn days(reader: &mut Reader, raw: &Spanned<Vec<raw::Text>>, field: &str) -> Option<[bool; 7]> {
    if raw.value.is_empty() {
        reader.wrong(raw, field, "empty: expected days such as [mon-fri], or no `days` for all of them");
        return None;
    }
    let (mut days, mut sound) = ([false; 7], true);
    for (index, day) in reader.list(field, &raw.value).iter().enumerate() {
        let marked = values::days(&day.value, &mut days);
        sound &= reader.take(day, &format!("{field}[{index}]"), marked).is_some();
    }
    sound.then_some(days)
}

/// Begin and end of a span that is not empty and at most a year long.
pub(super) fn span(
    reader: &mut Reader,
    (from, until): (&raw::Text, &raw::Text),
    field: &str,
    zone: &Zone,
) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let begin = reader.take(from, &format!("{field}.from"), values::instant(&from.value, zone));
    let end = reader.take(until, &format!("{field}.until"), values::instant(&until.value, zone));
    let (begin, end) = (begin?, end?);
    if end <= begin {
        let message = format!("expected a time after `{}`, found `{}`", from.value, until.value);
        reader.wrong(until, &format!("{field}.until"), message);
        return None;
    }
    if end - begin > LONGEST {
        let message = format!("expected at most {} days after `{}`", LONGEST.num_days(), from.value);
        reader.wrong(until, &format!("{field}.until"), message);
        return None;
    }
    Some((begin, end))
}
