//! `lab oncall` works without a lab, on the committed file and on any other.

use std::process::{Command, Output};

use crate::lab::text;

fn oncall(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lab")).arg("oncall").args(args).output().expect("lab runs")
}

fn ok(args: &[&str]) -> String {
    let output = oncall(args);
    assert!(output.status.success(), "lab oncall {args:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn the_committed_schedules_are_checked_and_shown() {
    let report = ok(&["check"]);
    assert!(report.contains("first-line: the next 52 weeks") && report.contains("no gaps"), "{report}");
    let now = ok(&["now", "--at", "2026-01-05T21:00:00Z"]);
    assert!(
        now.contains("Dan Reyes  since Mon 2026-01-05 21:00, until Tue 2026-01-06 06:00 (Europe/Berlin)"),
        "{now}"
    );
    let shifts = ok(&["show", "--schedule", "second-line", "--days", "60", "--at", "2026-01-05T00:00:00Z"]);
    assert_eq!(shifts.lines().count(), 4, "a heading, and three months: {shifts}");
    let json = ok(&["now", "--json", "--at", "2026-01-05T21:00:00Z"]);
    let all: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(all[0]["primary"], "dan");
}

#[test]
fn a_calendar_is_written_with_its_line_breaks_and_printed_without() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ada.ics").display().to_string();
    ok(&["ical", "--schedule", "second-line", "--person", "ada", "--output", &path]);
    let written = std::fs::read_to_string(&path).expect("a calendar");
    assert!(written.starts_with("BEGIN:VCALENDAR\r\n"), "{written}");
    let printed = ok(&["ical", "--schedule", "second-line", "--person", "ada"]);
    assert!(printed.starts_with("BEGIN:VCALENDAR\nVERSION:2.0\n"), "{printed}");
    let output = oncall(&["ical"]);
    assert!(text(&output.stderr).contains("one of first-line, second-line"), "{}", text(&output.stderr));
}

#[test]
fn a_wrong_file_is_refused_with_the_place_of_each_mistake() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("oncall.yaml");
    std::fs::write(&path, "people:\n  - {name: ada, zone: Mars}\nschedules: []\n").expect("a file");
    let output = oncall(&["check", "--file", &path.display().to_string()]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("oncall.yaml:2: people[0].zone: `Mars` is not a time zone"), "{said}");
    assert!(said.contains("oncall.yaml:3: schedules: empty"), "{said}");
}
