//! What a schedule asks of people over the next weeks: gaps that only the fallback covers, balance, nights and
//! weekends, hand-offs, and sentences about what is unfair or looks like a mistake.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use serde::Serialize;

use crate::{Rota, Schedule, Shift, Windows, Zone, schedule::Reason, windows::Window};

/// How far the report looks.
pub const WEEKS: i64 = 52;
/// Nights are from this hour …
const NIGHT_FROM: u32 = 22;
/// … to this hour, in the zone of the person.
const NIGHT_UNTIL: u32 = 6;
/// A share of the hours that is this many times as large as an equal one is worth a sentence.
const UNFAIR: f64 = 1.5;

/// The report on all schedules.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Begin of what was looked at: the past is of no interest.
    pub from: DateTime<Utc>,
    /// Its end.
    pub until: DateTime<Utc>,
    /// One for each schedule.
    pub schedules: Vec<Outlook>,
}

/// The report on one schedule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outlook {
    /// Name of the schedule.
    pub schedule: String,
    /// Shifts that only the fallback covers: no layer counts.
    pub gaps: Vec<Shift>,
    /// What each person carries, by name.
    pub people: Vec<Load>,
    /// Changes of the primary.
    pub handoffs: Vec<Handoff>,
    /// What somebody should look at.
    pub warnings: Vec<String>,
}

/// What one person carries as primary.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Load {
    /// The person.
    pub person: String,
    /// Number of shifts.
    pub shifts: usize,
    /// Hours on call.
    pub hours: f64,
    /// Share of all hours, 0 to 1.
    pub share: f64,
    /// Hours between 22:00 and 06:00 where the person lives.
    pub night_hours: f64,
    /// Hours on Saturdays and Sundays where the person lives.
    pub weekend_hours: f64,
}

/// A change of the primary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Handoff {
    /// When.
    pub at: DateTime<Utc>,
    /// Who hands over.
    pub from: String,
    /// Who takes over.
    pub to: String,
    /// Whether it is night for one of them.
    pub at_night: bool,
}

/// Looks at the 52 weeks after `now`.
#[must_use]
pub fn check(rota: &Rota, now: DateTime<Utc>) -> Report {
    let until = now + TimeDelta::weeks(WEEKS);
    let schedules = rota.schedules.iter().map(|schedule| outlook(rota, schedule, now, until)).collect();
    Report { from: now, until, schedules }
}

fn outlook(rota: &Rota, schedule: &Schedule, from: DateTime<Utc>, until: DateTime<Utc>) -> Outlook {
    let shifts = schedule.shifts(from, until);
    let people = people(rota, &shifts);
    let handoffs = handoffs(rota, &shifts);
    let gaps: Vec<Shift> =
        shifts.into_iter().filter(|shift| shift.primary.reason == Reason::Fallback).collect();
    let mut warnings = Vec::new();
    warnings.extend(gap(schedule, &gaps));
    warnings.extend(unfair(&people));
    let nights = handoffs.iter().filter(|handoff| handoff.at_night).count();
    if nights > 0 {
        warnings
            .push(format!("{nights} of {} hand-offs are at night for one of the two people", handoffs.len()));
    }
    for load in &people {
        if rota.people.get(&load.person).is_some_and(|person| person.contacts.is_empty()) {
            warnings.push(format!("{} has no contact point: a page cannot reach this person", load.person));
        }
    }
    let stale = schedule.overrides.iter().filter(|change| change.until <= from).count()
        + schedule.temporary.iter().filter(|fixed| fixed.until <= from).count();
    if stale > 0 {
        warnings.push(format!("{stale} overrides and temporary shifts are over: remove them from the file"));
    }
    Outlook { schedule: schedule.name.clone(), gaps, people, handoffs, warnings }
}

fn gap(schedule: &Schedule, gaps: &[Shift]) -> Option<String> {
    let first = gaps.first()?;
    // A schedule without layers is meant to be the fallback alone.
    if schedule.layers.is_empty() {
        return None;
    }
    let time = |at| schedule.zone.local(at).format("%Y-%m-%d %H:%M");
    Some(format!(
        "{} gaps, {:.0} hours in all, are covered by the fallback {} alone; the first is from {} until {} ({})",
        gaps.len(),
        gaps.iter().map(hours).sum::<f64>(),
        first.primary.person,
        time(first.from),
        time(first.until),
        schedule.zone
    ))
}

fn unfair(people: &[Load]) -> Option<String> {
    let most = people.iter().max_by(|one, other| one.hours.total_cmp(&other.hours))?;
    let equal = 1.0 / people.len() as f64;
    (people.len() > 1 && most.share > UNFAIR * equal).then(|| {
        format!(
            "{} carries {:.0} % of the hours; an equal share would be {:.0} %",
            most.person,
            most.share * 100.0,
            equal * 100.0
        )
    })
}

fn people(rota: &Rota, shifts: &[Shift]) -> Vec<Load> {
    let all: f64 = shifts.iter().map(hours).sum();
    let mut loads: BTreeMap<&str, Load> = BTreeMap::new();
    for shift in shifts {
        let name = shift.primary.person.as_str();
        let load = loads.entry(name).or_insert_with(|| Load {
            person: name.to_owned(),
            shifts: 0,
            hours: 0.0,
            share: 0.0,
            night_hours: 0.0,
            weekend_hours: 0.0,
        });
        load.shifts += 1;
        load.hours += hours(shift);
        if let Some(person) = rota.people.get(name) {
            load.night_hours += inside(&nights(&person.zone), shift);
            load.weekend_hours += inside(&weekends(&person.zone), shift);
        }
    }
    let mut loads: Vec<Load> = loads.into_values().collect();
    for load in &mut loads {
        load.share = if all > 0.0 { load.hours / all } else { 0.0 };
    }
    loads
}

fn handoffs(rota: &Rota, shifts: &[Shift]) -> Vec<Handoff> {
    let pairs = shifts.windows(2).filter(|pair| pair[0].primary.person != pair[1].primary.person);
    let pairs = pairs.map(|pair| {
        let (from, to, at) = (&pair[0].primary.person, &pair[1].primary.person, pair[1].from);
        let sleeps =
            |name: &String| rota.people.get(name).is_some_and(|person| nights(&person.zone).contains(at));
        Handoff { at, from: from.clone(), to: to.clone(), at_night: sleeps(from) || sleeps(to) }
    });
    pairs.collect()
}

fn hours(shift: &Shift) -> f64 {
    (shift.until - shift.from).as_seconds_f64() / 3600.0
}

/// Hours of a shift that are inside windows.
fn inside(windows: &Windows, shift: &Shift) -> f64 {
    let mut edges = windows.edges(shift.from, shift.until);
    edges.extend([shift.from, shift.until]);
    edges.sort_unstable();
    edges.dedup();
    let pieces = edges.windows(2).filter(|piece| windows.contains(piece[0]));
    pieces.map(|piece| (piece[1] - piece[0]).as_seconds_f64() / 3600.0).sum()
}

fn nights(zone: &Zone) -> Windows {
    one(zone, [true; 7], NIGHT_FROM, NIGHT_UNTIL)
}

fn weekends(zone: &Zone) -> Windows {
    one(zone, [false, false, false, false, false, true, true], 0, 0)
}

fn one(zone: &Zone, days: [bool; 7], from: u32, until: u32) -> Windows {
    let time = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or(NaiveTime::MIN);
    Windows { zone: zone.clone(), windows: vec![Window { days, from: time(from), until: time(until) }] }
}
