//! Schedules and policies from beside the file.

use rota::{Extra, Rota};
use serde_json::{Value, json};

use crate::support::committed;

fn extra(file: &str, document: &Value) -> Extra {
    Extra { file: file.to_owned(), text: document.to_string() }
}

fn nights(person: &str) -> Value {
    let rotation = json!({ "unit": "week", "every": 2, "start": "2026-01-05T09:00", "people": [person] });
    let only = json!([{ "days": ["mon-fri"], "from": "20:00", "until": "24:00" }]);
    let layers = json!([{ "name": "week", "rotation": rotation, "only": only }]);
    json!({ "schedules": [{ "name": "nights", "zone": "Europe/Berlin", "fallback": "ben", "layers": layers }] })
}

fn tickets(severity: &str, schedule: &str) -> Value {
    let steps = json!([{ "notify_schedule": schedule }, { "wait": "30m" }, { "notify_person": "fay" }]);
    json!({ "policies": [{ "name": "tickets", "severities": [severity], "repeat": 1, "steps": steps }] })
}

fn read(extras: &[Extra]) -> Result<Rota, Vec<String>> {
    let read = rota::read_with("oncall.yaml", &committed(), extras);
    read.map_err(|problems| problems.0.iter().map(ToString::to_string).collect())
}

#[test]
fn what_is_beside_the_file_counts_as_if_it_were_in_it() {
    let rota = read(&[extra("a", &nights("ada")), extra("b", &tickets("SEV-4", "nights"))]).unwrap();
    let names: Vec<&str> = rota.schedules.iter().map(|schedule| schedule.name.as_str()).collect();
    assert_eq!(names, ["first-line", "second-line", "nights"]);
    assert_eq!(rota.policy(4).map(|policy| policy.name.as_str()), Some("tickets"));
    assert_eq!(rota.policy(5).map(|policy| policy.name.as_str()), Some("working-hours"));
}

#[test]
fn a_mistake_has_the_place_in_its_own_document() {
    let found = |extras: &[Extra]| read(extras).expect_err("a mistake");
    let one = |extras: &[Extra], expected: &str| {
        let found = found(extras);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{found:?}, not {expected}");
    };
    let person = "schedules[0].layers[0].rotation.people[0]: `zoe` is not in `people`";
    one(&[extra("a", &nights("zoe"))], &format!("a:1: {person}"));
    let twice = [extra("a", &nights("ada")), extra("b", &nights("ada"))];
    one(&twice, "b:1: schedules[0].name: `nights` is already taken");
    let taken = "policies[0].severities: another policy is for SEV-3";
    one(&[extra("b", &tickets("SEV-3", "first-line"))], &format!("b:1: {taken}"));
    one(&[extra("b", &tickets("SEV-4", "nights"))], "b:1: policies[0].steps[0].notify_schedule: `nights`");
    one(&[extra("c", &json!({ "people": [] }))], "c:1: ");
}

#[test]
fn a_mistake_of_the_file_stays_the_files() {
    let text = committed().replacen("unit: week", "unit: year", 1);
    let problems = rota::read_with("oncall.yaml", &text, &[extra("a", &nights("ada"))]).unwrap_err();
    let [problem] = problems.0.as_slice() else { panic!("{problems}") };
    assert_eq!(
        (problem.file.as_str(), problem.field.as_str()),
        ("oncall.yaml", "schedules[0].layers[0].rotation.unit")
    );
}

#[test]
fn a_file_is_shown_as_it_is_written() {
    let file: Value = rota::written("oncall.yaml", &committed()).unwrap();
    let week = &file["schedules"][0]["layers"][0]["rotation"];
    assert_eq!((&week["start"], &week["people"][0]), (&json!("2026-01-05T09:00"), &json!("ada")));
    assert!(rota::written::<Value>("x.yaml", "people: [").is_err());
}
