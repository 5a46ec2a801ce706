//! Any file is either refused or has exactly one primary at each instant.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::support::{at, tiles, with_schedule};

const PEOPLE: &[&str] = &["ada", "ben", "cleo"];
/// Zones whose clocks change on different days, by an hour, by half an hour and by two hours, and not at all.
const ZONES: &[&str] = &[
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "Asia/Kolkata",
    "Pacific/Chatham",
];
/// Some hand over in the hour that is skipped or repeated.
const TIMES: &[&str] =
    &["00:00", "00:30", "01:30", "02:00", "02:15", "02:30", "03:00", "09:00", "17:00", "23:45"];

const UNITS: &[&str] = &["hour", "day", "week", "month"];

fn people() -> impl Strategy<Value = String> {
    vec(select(PEOPLE), 1..4).prop_map(|people| format!("[{}]", people.join(", ")))
}

fn window() -> impl Strategy<Value = String> {
    let days = prop_oneof![
        3 => Just(String::new()),
        1 => Just("days: [mon-fri], ".to_owned()),
        1 => Just("days: [sat, sun], ".to_owned()),
        1 => Just("days: [fri-mon, wed], ".to_owned()),
    ];
    (days, select(TIMES), select(TIMES))
        .prop_map(|(days, from, until)| format!("{{{days}from: \"{from}\", until: \"{until}\"}}"))
}

fn layer() -> impl Strategy<Value = String> {
    let rotation = (select(UNITS), 1..4_u32, 1..29_u32, select(TIMES), people());
    let only = prop_oneof![2 => Just(Vec::new()), 3 => vec(window(), 1..3)];
    (rotation, only, select(ZONES)).prop_map(|((unit, every, day, time, people), only, zone)| {
        let mut text = format!(
            "        zone: {zone}\n        \
             rotation: {{unit: {unit}, every: {every}, start: 2026-03-{day:02}T{time}, people: {people}}}\n"
        );
        if !only.is_empty() {
            text.push_str(&format!("        only: [{}]\n", only.join(", ")));
        }
        text
    })
}

fn change() -> impl Strategy<Value = String> {
    let what = prop_oneof![
        select(PEOPLE).prop_map(|person| format!("add: {person}")),
        select(PEOPLE).prop_map(|person| format!("remove: {person}")),
        (select(PEOPLE), select(PEOPLE))
            .prop_map(|(person, with)| format!("replace: {person}, with: {with}")),
    ];
    (what, 1..29_u32, select(TIMES), 3..40_i64, 1..4_u32).prop_map(|(what, day, time, hours, month)| {
        let from: DateTime<Utc> = at(&format!("2026-{:02}-{day:02}T{time}:00Z", month * 3));
        let until = from + TimeDelta::hours(hours);
        let time = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M");
        format!("      - {{{what}, from: {}, until: {}}}\n", time(from), time(until))
    })
}

fn file() -> impl Strategy<Value = String> {
    let fallback = prop_oneof![2 => Just(None), 1 => select(PEOPLE).prop_map(Some)];
    (select(ZONES), fallback, vec(layer(), 0..4), vec(change(), 0..4)).prop_map(
        |(zone, fallback, layers, changes)| {
            let mut fields = fallback.map_or_else(String::new, |person| format!("    fallback: {person}\n"));
            if !layers.is_empty() {
                fields.push_str("    layers:\n");
                for (index, layer) in layers.iter().enumerate() {
                    fields.push_str(&format!("      - name: layer{index}\n{layer}"));
                }
            }
            if !changes.is_empty() {
                fields.push_str("    overrides:\n");
                fields.push_str(&changes.concat());
            }
            with_schedule(zone, &fields)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_file_is_refused_or_has_exactly_one_primary_at_each_instant(text in file()) {
        let Ok(rota) = rota::read("oncall.yaml", &text) else { return Ok(()) };
        let schedule = &rota.schedules[0];
        // Days on which clocks change in some of the zones, and some on which none does.
        for from in ["2026-03-07", "2026-03-28", "2026-06-12", "2026-09-26", "2026-10-24"] {
            let from = at(&format!("{from}T11:17:00Z"));
            tiles(schedule, from, from + TimeDelta::days(2));
            for minutes in (0..2880).step_by(97) {
                prop_assert!(schedule.primary(from + TimeDelta::minutes(minutes)).is_some(), "{}", text);
            }
        }
    }
}

#[test]
fn the_generator_makes_files_of_both_kinds() {
    use proptest::{strategy::ValueTree as _, test_runner::TestRunner};

    let mut runner = TestRunner::deterministic();
    let (mut sound, mut refused) = (0, Vec::new());
    for _ in 0..200 {
        let text = file().new_tree(&mut runner).unwrap().current();
        match rota::read("oncall.yaml", &text) {
            Ok(_) => sound += 1,
            Err(problems) => refused.push(problems.to_string()),
        }
    }
    assert!(sound > 40 && refused.len() > 40, "{sound} sound");
    // For the reason that it is about, not because the generator writes nonsense.
    let silent = refused.iter().filter(|problems| problems.contains("nobody is on call"));
    assert_eq!(silent.count(), refused.len(), "{refused:#?}");
}
