//! The rule for clock changes, in every zone of the database, around every change of two years.

use std::{collections::BTreeMap, sync::LazyLock};

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use rota::{Rotation, Schedule, Zone, rotation::Unit, schedule::Layer};

use crate::support::{at, tiles};

/// All zones, and when each changes its clocks.
static ZONES: LazyLock<Vec<(Zone, Vec<DateTime<Utc>>)>> = LazyLock::new(|| {
    let zones: Vec<Zone> = Zone::names().iter().filter_map(|name| Zone::named(name).ok()).collect();
    assert!(zones.len() > 400, "the database is compiled in: {}", zones.len());
    let (from, until) = (at("2026-01-01T00:00:00Z"), at("2028-01-01T00:00:00Z"));
    zones.into_iter().map(|zone| (zone.clone(), zone.changes(from, until))).collect()
});

/// One zone of each group of zones that show the same time before and after the same changes.
fn different() -> impl Iterator<Item = &'static (Zone, Vec<DateTime<Utc>>)> {
    let shows = |zone: &Zone, changes: &[DateTime<Utc>]| -> Vec<NaiveDateTime> {
        let second = TimeDelta::seconds(1);
        changes.iter().flat_map(|at| [zone.local(*at - second), zone.local(*at)]).collect()
    };
    let groups: BTreeMap<_, _> = ZONES.iter().map(|entry| (shows(&entry.0, &entry.1), entry)).collect();
    groups.into_values()
}

/// Wall times from two hours before to two hours after the ones that a change skips or repeats.
fn around(zone: &Zone, change: DateTime<Utc>) -> impl Iterator<Item = NaiveDateTime> {
    let second = TimeDelta::seconds(1);
    let (before, after) = (zone.local(change - second) + second, zone.local(change));
    let (from, until) = (before.min(after) - TimeDelta::hours(2), before.max(after) + TimeDelta::hours(2));
    (0..).map(move |step| from + TimeDelta::minutes(step * 15)).take_while(move |wall| *wall <= until)
}

#[test]
fn a_wall_time_means_the_first_instant_that_shows_it_or_a_later_one() {
    let mut checked = 0;
    for (zone, changes) in ZONES.iter() {
        for change in changes {
            let mut last = DateTime::<Utc>::MIN_UTC;
            for wall in around(zone, *change) {
                let first = zone.first(wall);
                assert!(zone.local(first) >= wall, "{zone}: {wall} is not yet shown at {first}");
                // Back over three hours: no clock is put back by more.
                for minutes in (10..=180).step_by(10) {
                    let earlier = first - TimeDelta::minutes(minutes);
                    assert!(zone.local(earlier) < wall, "{zone}: {wall} is shown at {earlier} already");
                }
                assert!(zone.local(first - TimeDelta::seconds(1)) < wall, "{zone}: {wall} at {first}");
                assert!(first >= last, "{zone}: {wall} comes before an earlier wall time");
                last = first;
                checked += 1;
            }
        }
    }
    assert!(checked > 5_000, "zones with summer time exist: {checked}");
}

#[test]
fn exactly_one_person_is_primary_around_every_change_of_clocks() {
    for (zone, changes) in different() {
        for change in changes {
            let wall = zone.local(*change);
            // Hand-offs inside what is skipped or repeated, and away from it.
            for (unit, minutes) in
                [(Unit::Hour, -30), (Unit::Day, -30), (Unit::Day, 0), (Unit::Week, 15), (Unit::Month, 30)]
            {
                let start = wall + TimeDelta::minutes(minutes);
                let people = ["ada", "ben"].map(str::to_owned).to_vec();
                let rotation = Rotation { zone: zone.clone(), every: 1, unit, start, people };
                let layers = vec![Layer { name: "only".to_owned(), rotation, only: None }];
                let name = zone.name().to_owned();
                let schedule = Schedule {
                    name,
                    zone: zone.clone(),
                    fallback: None,
                    layers,
                    overrides: vec![],
                    temporary: vec![],
                };
                tiles(&schedule, *change - TimeDelta::hours(30), *change + TimeDelta::hours(30));
            }
        }
    }
}

#[test]
fn weekly_hand_offs_show_the_same_wall_time_all_year_in_every_zone() {
    let start = at("2026-01-05T12:00:00Z").naive_utc();
    for (zone, _) in ZONES.iter() {
        let people = vec!["ada".to_owned()];
        let rotation = Rotation { zone: zone.clone(), every: 1, unit: Unit::Week, start, people };
        for week in 0..104 {
            let shown = zone.local(rotation.handoff(week));
            // No zone changes its clocks at noon on a Monday.
            assert_eq!(shown, start + TimeDelta::weeks(week), "{zone}");
        }
    }
}
