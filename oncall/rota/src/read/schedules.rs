//! Schedules: what the values mean, and whether somebody is always on call.

use std::collections::BTreeMap;

use serde_saphyr::Spanned;

use super::{Reader, Values as _, parts, raw};
use crate::{
    Person, Schedule, Zone,
    schedule::{Change, Fixed, Layer, Override},
};

/// What every part of a schedule needs.
#[derive(Clone, Copy)]
struct Place<'a> {
    people: &'a BTreeMap<String, Person>,
    zone: &'a Zone,
    /// Path of the schedule: `schedules[0]`.
    field: &'a str,
}

pub(super) fn schedules(
    reader: &mut Reader,
    list: &Spanned<Vec<Spanned<raw::Schedule>>>,
    people: &BTreeMap<String, Person>,
) -> Vec<Schedule> {
    if list.value.is_empty() {
        reader.wrong(list, "schedules", "empty: expected at least one schedule");
    }
    let (mut schedules, mut before) = (Vec::new(), Vec::new());
    for (index, raw) in reader.list("schedules", &list.value).iter().enumerate() {
        let field = format!("schedules[{index}]");
        let name = reader.name(&raw.value.name, &format!("{field}.name"), &mut before);
        let zone = reader.take(&raw.value.zone, &format!("{field}.zone"), Zone::named(&raw.value.zone.value));
        let Some(zone) = zone else { continue };
        let place = Place { people, zone: &zone, field: &field };
        let problems = reader.problems().len();
        let mut schedule = schedule(reader, raw, place);
        if reader.problems().len() == problems {
            always_somebody(reader, raw, &schedule, &field);
        }
        if let Some(name) = name {
            schedule.name = name;
            schedules.push(schedule);
        }
    }
    schedules
}

/// Everything but the name. What has a problem is left out, and the file will be refused.
fn schedule(reader: &mut Reader, raw: &Spanned<raw::Schedule>, place: Place<'_>) -> Schedule {
    let field = |name: &str| format!("{}.{name}", place.field);
    let fallback = raw.value.fallback.as_ref();
    let fallback =
        fallback.and_then(|name| reader.known(name, &field("fallback"), "people", place.people.keys()));
    let (mut layers, mut before) = (Vec::new(), Vec::new());
    for (index, raw) in reader.list(&field("layers"), &raw.value.layers).iter().enumerate() {
        let field = field(&format!("layers[{index}]"));
        let name = reader.name(&raw.value.name, &format!("{field}.name"), &mut before);
        let layer = layer(reader, &raw.value, &field, place);
        layers.extend(name.zip(layer).map(|(name, layer)| Layer { name, ..layer }));
    }
    let mut overrides = Vec::new();
    for (index, raw) in reader.list(&field("overrides"), &raw.value.overrides).iter().enumerate() {
        overrides.extend(self::change(reader, raw, &field(&format!("overrides[{index}]")), place));
    }
    let temporary = temporary(reader, &raw.value.temporary, place);
    Schedule { name: String::new(), zone: place.zone.clone(), fallback, layers, overrides, temporary }
}

fn layer(reader: &mut Reader, raw: &raw::Layer, field: &str, place: Place<'_>) -> Option<Layer> {
    let zone = match &raw.zone {
        None => Some(place.zone.clone()),
        Some(zone) => reader.take(zone, &format!("{field}.zone"), Zone::named(&zone.value)),
    }?;
    let at = format!("{field}.rotation");
    let rotation = parts::rotation(reader, &raw.rotation.value, &at, &zone, place.people);
    let only = match &raw.only {
        None => Some(None),
        Some(windows) => parts::windows(reader, windows, &format!("{field}.only"), &zone).map(Some),
    };
    Some(Layer { name: String::new(), rotation: rotation?, only: only? })
}

fn change(
    reader: &mut Reader,
    raw: &Spanned<raw::Override>,
    field: &str,
    place: Place<'_>,
) -> Option<Override> {
    let raw::Override { add, remove, replace, with, from, until } = &raw.value;
    let span = parts::span(reader, (from, until), field, place.zone);
    let mut known = |name: &raw::Text, key: &str| {
        reader.known(name, &format!("{field}.{key}"), "people", place.people.keys())
    };
    let change = match (add, remove, replace, with) {
        (Some(name), None, None, None) => Change::Add(known(name, "add")?),
        (None, Some(name), None, None) => Change::Remove(known(name, "remove")?),
        (None, None, Some(name), Some(other)) => {
            let (person, with) = (known(name, "replace"), known(other, "with"));
            Change::Replace { person: person?, with: with? }
        }
        _ => {
            reader.wrong(raw, field, "expected one of `add`, `remove`, or `replace` together with `with`");
            return None;
        }
    };
    let (from, until) = span?;
    Some(Override { change, from, until })
}

/// Temporary schedules as one list of shifts. Each is covered by its shifts, and no two overlap.
fn temporary(reader: &mut Reader, list: &[Spanned<raw::Temporary>], place: Place<'_>) -> Vec<Fixed> {
    let mut all: Vec<Fixed> = Vec::new();
    let field = format!("{}.temporary", place.field);
    for (index, raw) in reader.list(&field, list).iter().enumerate() {
        let field = format!("{field}[{index}]");
        let Some((from, until)) =
            parts::span(reader, (&raw.value.from, &raw.value.until), &field, place.zone)
        else {
            continue;
        };
        if all.iter().any(|other| other.from < until && from < other.until) {
            reader.wrong(
                raw,
                &field,
                "overlaps with another temporary schedule: expected spans apart from each other",
            );
            continue;
        }
        let list = &raw.value.shifts;
        let shifts = fixed(reader, &list.value, &format!("{field}.shifts"), place);
        let mut end = from;
        let tiled =
            shifts.iter().all(|shift| std::mem::replace(&mut end, shift.until) == shift.from) && end == until;
        if tiled {
            all.extend(shifts);
        } else if shifts.len() == list.value.len() {
            let message = format!(
                "expected shifts that follow one another from `{}` until `{}`, without a gap and in order",
                raw.value.from.value, raw.value.until.value
            );
            reader.wrong(list, &format!("{field}.shifts"), message);
        }
    }
    all
}

fn fixed(reader: &mut Reader, list: &[Spanned<raw::Fixed>], field: &str, place: Place<'_>) -> Vec<Fixed> {
    let mut shifts = Vec::new();
    for (index, raw) in reader.list(field, list).iter().enumerate() {
        let raw::Fixed { person, from, until } = &raw.value;
        let field = format!("{field}[{index}]");
        let person = reader.known(person, &format!("{field}.person"), "people", place.people.keys());
        let span = parts::span(reader, (from, until), &field, place.zone);
        shifts.extend(person.zip(span).map(|(person, (from, until))| Fixed { person, from, until }));
    }
    shifts
}

/// Refuses a schedule that leaves an instant without a primary.
fn always_somebody(reader: &mut Reader, raw: &Spanned<raw::Schedule>, schedule: &Schedule, field: &str) {
    if schedule.fallback.is_some() {
        return;
    }
    if !schedule.covers_every_week() {
        let message = "nobody is on call for part of the week: add a layer without `only`, make the windows of the \
                       layers of one zone cover the week, or name a `fallback`";
        reader.wrong(raw, field, message);
        return;
    }
    // The layers cover every instant, so only a removed person can leave a gap.
    let removed = schedule.overrides.iter().zip(&raw.value.overrides).enumerate();
    for (index, (change, raw)) in removed {
        let Change::Remove(person) = &change.change else { continue };
        if let Some((from, until)) = schedule.nobody(change.from, change.until) {
            let time = |at| schedule.zone.local(at).format("%Y-%m-%dT%H:%M");
            let message = format!(
                "without {person} nobody is on call from {} until {}: expected `replace`, or a `fallback`",
                time(from),
                time(until)
            );
            reader.wrong(raw, &format!("{field}.overrides[{index}]"), message);
        }
    }
}
