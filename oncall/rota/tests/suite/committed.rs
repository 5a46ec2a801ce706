//! The committed `oncall.yaml` is an example, so it has to be a good one.

use chrono::TimeDelta;
use rota::{Target, check::check, schedule::Reason};

use crate::support::{at, committed, file, primary, sound, tiles};

#[test]
fn the_committed_file_is_sound_and_fair() {
    let rota = sound(&committed());
    let now = at("2026-01-05T00:00:00Z");
    let report = check(&rota, now);
    for outlook in &report.schedules {
        assert!(outlook.gaps.is_empty(), "{}", outlook.schedule);
        let hours: f64 = outlook.people.iter().map(|load| load.hours).sum();
        assert!((hours - 52.0 * 168.0).abs() < 1e-6, "every hour of 52 weeks is somebody's: {hours}");
    }
    let names: Vec<&str> = report.schedules.iter().map(|outlook| outlook.schedule.as_str()).collect();
    assert_eq!(names, ["first-line", "second-line"]);
    // 21:00 in California is 06:00 in Europe, and 05:00 in the four weeks in which only one of them has summer time.
    let warnings = &report.schedules[0].warnings;
    assert!(warnings.len() == 1 && warnings[0].starts_with("20 of "), "{warnings:?}");
    assert_eq!(report.schedules[1].warnings, Vec::<String>::new());
    for schedule in &rota.schedules {
        tiles(schedule, now, now + TimeDelta::weeks(60));
    }
}

#[test]
fn the_higher_layer_wins_in_its_windows_alone() {
    let rota = sound(&committed());
    let first_line = rota.schedule("first-line").expect("a schedule");
    // Monday 5 January, 21:00 in Berlin, 12:00 in Los Angeles.
    assert_eq!(primary(first_line, at("2026-01-05T19:59:59Z")), "ada");
    assert_eq!(primary(first_line, at("2026-01-05T20:00:00Z")), "dan");
    assert_eq!(primary(first_line, at("2026-01-06T05:00:00Z")), "ada");
    let shift = first_line.shift(at("2026-01-05T21:00:00Z")).expect("a shift");
    assert_eq!(shift.primary.reason, Reason::Layer("evening".to_owned()));
    assert_eq!((shift.from, shift.until), (at("2026-01-05T20:00:00Z"), at("2026-01-06T05:00:00Z")));
}

#[test]
fn every_severity_has_a_policy_that_ends_at_a_person() {
    let rota = sound(&committed());
    let names = (1..=5).map(|severity| rota.policy(severity).expect("a policy").name.as_str());
    assert_eq!(names.collect::<Vec<_>>(), ["major", "major", "minor", "working-hours", "working-hours"]);
    let whom = rota.whom(&Target::Schedule("second-line".to_owned()), at("2026-02-10T12:00:00Z"), 0);
    assert_eq!(whom, ["ada"]);
}

#[test]
fn the_committed_schema_is_that_of_the_types_and_takes_the_committed_file() {
    let text = file("oncall.schema.json");
    let schema: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert!(schema == rota::schema(), "oncall.schema.json has drifted: run `just generate pages`");
    let written: serde_json::Value = rota::written("oncall.yaml", &committed()).expect("YAML");
    assert_eq!(yaml::conform::wrong(&schema, &written), Vec::<String>::new());
    assert!(committed().starts_with("# yaml-language-server: $schema=oncall.schema.json\n"));
}
