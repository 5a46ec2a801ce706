//! Wrong files get an error that says what is wrong and where; nothing is guessed.

use crate::support::{at, committed, primary, sound, with_schedule};

fn problems(text: &str) -> Vec<String> {
    match rota::read("oncall.yaml", text) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.0.iter().map(ToString::to_string).collect(),
    }
}

fn line_of(text: &str, needle: &str) -> usize {
    1 + text.lines().position(|line| line.contains(needle)).unwrap_or_else(|| panic!("no line with {needle}"))
}

/// What to replace in the committed file, the replacement, a text in the reported line, and the start of the message.
const WRONG: &[(&str, &str, &str, &str)] = &[
    ("name: ben", "name: Ben", "name: Ben", "people[1].name: `Ben` is not a name"),
    ("name: ben", "name: ada", "title: Ben", "people[1].name: `ada` is already taken"),
    (
        "zone: Europe/Paris",
        "zone: Paris",
        "zone: Paris",
        "people[2].zone: `Paris` is not a time zone: expected `Europe/Paris`",
    ),
    (
        "[{kind: desktop}, {kind: bell}]",
        "[{kind: phone}]",
        "{kind: phone}",
        "people[0].contacts[0].kind: expected slack",
    ),
    (
        "[{kind: desktop}, {kind: bell}]",
        "[{kind: slack}]",
        "{kind: slack}",
        "people[0].contacts[0].to: missing: expected the id of a Slack member",
    ),
    (
        "[{kind: desktop}, {kind: bell}]",
        "[{kind: webhook, to: ftp://x}]",
        "ftp://x",
        "people[0].contacts[0].to: expected a URL",
    ),
    (
        "unit: week",
        "unit: fortnight",
        "unit: fortnight",
        "schedules[0].layers[0].rotation.unit: expected hour, day, week or month, found `fortnight`",
    ),
    (
        "unit: week",
        "unit: week, every: 0",
        "every: 0",
        "schedules[0].layers[0].rotation.every: expected 1 to 1000, found 0",
    ),
    (
        "start: 2026-01-05T09:00",
        "start: Monday",
        "start: Monday",
        "schedules[0].layers[0].rotation.start: expected a wall time",
    ),
    (
        "[ada, ben, cleo]",
        "[ada, ben, zoe]",
        "zoe",
        "schedules[0].layers[0].rotation.people[2]: `zoe` is not in `people`: expected one of ada, ben",
    ),
    ("[ada, ben, cleo]", "[]", "people: []", "schedules[0].layers[0].rotation.people: empty"),
    (
        "from: \"12:00\"",
        "from: \"3 pm\"",
        "3 pm",
        "schedules[0].layers[1].only[0].from: expected hours and minutes",
    ),
    (
        "days: [mon-fri], from: \"12:00\"",
        "days: [weekday], from: \"12:00\"",
        "days: [weekday]",
        "schedules[0].layers[1].only[0].days[0]: expected mon",
    ),
    ("SEV-3", "SEV-2", "- name: minor", "policies[1].severities: another policy is for SEV-2"),
    (
        "severities: [SEV-3]",
        "severities: [high]",
        "[high]",
        "policies[1].severities[0]: expected SEV-1 to SEV-5, found `high`",
    ),
    ("repeat: 2", "repeat: 6", "repeat: 6", "policies[0].repeat: expected 0 to 5, found 6"),
    ("wait: 1h", "wait: 1fortnight", "1fortnight", "policies[1].steps[3].wait: expected 1s to 7days"),
    ("wait: 1h", "pause: 1h", "pause: 1h", "policies[1].steps[3]"),
    (
        "- wait: 1h",
        "- {wait: 1h, notify_person: fay}",
        "{wait: 1h",
        "policies[1].steps[3]: expected exactly one of wait",
    ),
    (
        "notify_person: fay",
        "notify_person: gus",
        "gus",
        "policies[0].steps[4].notify_person: `gus` is not in `people`",
    ),
    (
        "notify_schedule: second-line",
        "notify_schedule: third-line",
        "third-line",
        "policies[0].steps[2].notify_schedule: `third-line` is not in `schedules`",
    ),
    (
        "notify_person: fay",
        "webhook: status-page",
        "status-page",
        "policies[0].steps[4].webhook: `status-page` is not in `webhooks`: `webhooks` is empty",
    ),
    (
        "ack_expires: 30m",
        "ack_expires: 1s",
        "ack_expires: 1s",
        "policies[0].ack_expires: expected 1m to 7days",
    ),
];

#[test]
fn every_mistake_is_reported_with_its_line_and_field() {
    for (right, wrong, line, message) in WRONG {
        let text = committed();
        assert!(text.contains(right), "the file has no {right}");
        let text = text.replacen(right, wrong, 1);
        let found = problems(&text);
        // An unknown name may be missed in more than one place.
        let expected = format!("oncall.yaml:{}: {message}", line_of(&text, line));
        let exact = found.iter().any(|problem| problem.starts_with(&expected));
        // The name that is taken is one line above its title.
        let above = format!("oncall.yaml:{}: {message}", line_of(&text, line) - 1);
        assert!(
            exact || found.iter().any(|problem| problem.starts_with(&above)),
            "{wrong}: {found:#?}, not {expected}"
        );
    }
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let text = committed().replacen("unit: week", "unit: year", 1).replacen("repeat: 2", "repeat: 9", 1);
    assert_eq!(problems(&text).len(), 2, "{:#?}", problems(&text));
}

#[test]
fn a_text_that_is_no_rota_is_refused() {
    for text in [
        "",
        "people: 5",
        "- people",
        "people: [",
        "people: []\nschedules: []",
        "peopel: []\nschedules: []\npeople: []",
    ] {
        assert!(!problems(text).is_empty(), "{text}");
    }
}

#[test]
fn a_week_with_a_gap_is_refused_and_a_fallback_fills_it() {
    let layer = "    layers:\n      - name: day\n        rotation: {unit: week, start: 2026-01-05T09:00, people: [ada]}\n        \
                 only: [{from: \"08:00\", until: \"20:00\"}]\n";
    let found = problems(&with_schedule("Europe/Berlin", layer));
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("oncall.yaml:6: schedules[0]: nobody is on call for part of the week"),
        "{found:?}"
    );
    let filled = sound(&with_schedule("Europe/Berlin", &format!("    fallback: ben\n{layer}")));
    assert_eq!(primary(&filled.schedules[0], at("2026-06-01T03:00:00Z")), "ben");
    let report = rota::check::check(&filled, at("2026-06-01T12:00:00Z"));
    assert_eq!(report.schedules[0].gaps.len(), 364, "one a night");
    assert!(
        report.schedules[0].warnings[0].contains("364 gaps, 4368 hours in all"),
        "{:?}",
        report.schedules[0].warnings
    );
}

/// A layer of one person with windows.
fn layer(name: &str, zone: &str, person: &str, from: &str, until: &str) -> String {
    format!(
        "      - name: {name}\n        zone: {zone}\n        \
         rotation: {{unit: week, start: 2026-01-05T09:00, people: [{person}]}}\n        \
         only: [{{from: \"{from}\", until: \"{until}\"}}]\n"
    )
}

#[test]
fn windows_of_one_zone_cover_the_week_and_windows_of_two_prove_nothing() {
    let zone = "Europe/Berlin";
    let (day, night) =
        (layer("day", zone, "ada", "08:00", "20:00"), layer("night", zone, "ben", "20:00", "08:00"));
    let rota = sound(&with_schedule(zone, &format!("    layers:\n{day}{night}")));
    crate::support::tiles(&rota.schedules[0], at("2026-03-01T00:00:00Z"), at("2026-12-01T00:00:00Z"));
    // 14:00 in New York is 20:00 in Berlin, but not in the weeks in which only one of them has changed its clocks.
    let abroad = layer("night", "America/New_York", "ben", "14:00", "02:00");
    let found = problems(&with_schedule(zone, &format!("    layers:\n{day}{abroad}")));
    assert!(found[0].contains("make the windows of the layers of one zone cover the week"), "{found:?}");
}

#[test]
fn a_removed_person_must_leave_somebody() {
    let week = "    layers:\n      - name: week\n        rotation: {unit: week, start: 2026-01-05T09:00, people: [ada, ben]}\n";
    let remove = "    overrides:\n      - {remove: ada, from: 2026-01-06T00:00, until: 2026-01-07T00:00}\n";
    let found = problems(&with_schedule("UTC", &format!("{week}{remove}")));
    let expected = "schedules[0].overrides[0]: without ada nobody is on call from 2026-01-06T00:00 until 2026-01-07T00:00";
    assert!(found[0].contains(expected), "{found:?}");
    let replace = remove.replace("remove: ada", "replace: ada, with: cleo");
    let rota = sound(&with_schedule("UTC", &format!("{week}{replace}")));
    assert_eq!(primary(&rota.schedules[0], at("2026-01-06T12:00:00Z")), "cleo");
    assert_eq!(primary(&rota.schedules[0], at("2026-01-07T00:00:00Z")), "ada");
    // In ben's week there is nothing to remove.
    let harmless = remove.replace("2026-01-06", "2026-01-13").replace("2026-01-07", "2026-01-14");
    sound(&with_schedule("UTC", &format!("{week}{harmless}")));
}

#[test]
fn a_temporary_schedule_is_covered_by_its_shifts() {
    let week = "    layers:\n      - name: week\n        rotation: {unit: week, start: 2026-01-05T09:00, people: [ada]}\n";
    let temporary = |until: &str| {
        format!(
            "{week}    temporary:\n      - from: 2026-12-24T09:00\n        until: 2026-12-26T09:00\n        shifts:\n          \
             - {{person: ben, from: 2026-12-24T09:00, until: {until}}}\n          \
             - {{person: cleo, from: 2026-12-25T09:00, until: 2026-12-26T09:00}}\n"
        )
    };
    let rota = sound(&with_schedule("UTC", &temporary("2026-12-25T09:00")));
    let schedule = &rota.schedules[0];
    let names =
        ["2026-12-24T08:59:59Z", "2026-12-24T09:00:00Z", "2026-12-25T09:00:00Z", "2026-12-26T09:00:00Z"];
    assert_eq!(names.map(|time| primary(schedule, at(time))), ["ada", "ben", "cleo", "ada"]);
    let found = problems(&with_schedule("UTC", &temporary("2026-12-25T08:00")));
    assert!(
        found[0].contains("schedules[0].temporary[0].shifts: expected shifts that follow one another"),
        "{found:?}"
    );
}

#[test]
fn an_added_person_is_on_call_too_and_not_primary() {
    let fields = "    layers:\n      - name: week\n        rotation: {unit: week, start: 2026-01-05T09:00, people: [ada]}\n    \
                  overrides:\n      - {add: ben, from: 2026-01-06T00:00, until: 2026-01-07T00:00}\n";
    let rota = sound(&with_schedule("UTC", fields));
    let target = rota::Target::Schedule("first-line".to_owned());
    assert_eq!(rota.whom(&target, at("2026-01-06T12:00:00Z"), 0), ["ada", "ben"]);
    assert_eq!(rota.whom(&target, at("2026-01-07T00:00:00Z"), 0), ["ada"]);
}
