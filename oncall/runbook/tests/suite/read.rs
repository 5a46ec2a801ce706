//! Wrong runbooks get an error that says what is wrong, where, and what would be right.

use runbook::read_runbook;

use crate::support::TEXT;

fn problems(text: &str) -> Vec<String> {
    match read_runbook("runbooks/Every.yaml", text) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.0.iter().map(ToString::to_string).collect(),
    }
}

fn line_of(text: &str, needle: &str) -> usize {
    1 + text.lines().position(|line| line.contains(needle)).unwrap_or_else(|| panic!("no line with {needle}"))
}

/// What to replace, the replacement, a text in the reported line, and the message with its field.
const WRONG: &[(&str, &str, &str, &str)] = &[
    (
        "title: Try",
        "alert: Other\ntitle: Try",
        "alert: Other",
        "alert: expected `Every`, as the file is called",
    ),
    ("type: number", "type: float", "type: float", "parameters.limit.type: expected word, choice"),
    ("least: 1, ", "", "type: number", "parameters.limit.least: missing: expected a whole number"),
    (
        "default: \"50\"",
        "default: \"500\"",
        "\"500\"",
        "parameters.limit.default: expected a number from 1 to 99",
    ),
    (
        "  limit: {",
        "  run: {",
        "  run: {",
        "parameters.run: expected a name of a-z and `_`, other than run, incident",
    ),
    (
        "services: [\"${service}\"]",
        "services: [\"${servce}\"]",
        "servce",
        "services[0]: `${servce}` is not known",
    ),
    ("is: \"> 0\"}\nsteps", "is: \">0\"}\nsteps", "\">0\"", "preconditions[0].is: expected a comparison"),
    ("name: look", "name: Look", "name: Look", "steps[0].name: `Look` is not a name"),
    ("name: ready", "name: look # twice", "# twice", "steps[1].name: `look` is already taken"),
    (
        "level: warn",
        "level: loud",
        "level: loud",
        "steps[0].check.log.level: expected one of error, warn, info",
    ),
    ("otherwise: continue", "otherwise: hope", "hope", "steps[0].check.otherwise: expected stop or continue"),
    ("path: /readyz", "path: /faults", "/faults", "steps[1].http.path: expected one of /livez, /readyz"),
    (
        "status: \"200\"",
        "status: ok",
        "status: ok",
        "steps[1].http.status: expected a status such as 200 or not 200",
    ),
    ("query: sessions-of", "query: drop", "query: drop", "steps[2].sql.query: `drop` is not a query"),
    ("older_than: 2m", "older_than: 2w", "2w", "steps[2].sql.with.older_than: expected a time from 0s to 7d"),
    ("application: psql, ", "", "sessions-of", "steps[2].sql.with.application: missing"),
    ("verb: restart", "verb: reboot", "verb: reboot", "steps[5].act.verb: `reboot` is not a verb"),
    ("verb: restart", "verb: drain", "verb: drain", "steps[5].act.with.instance: missing: expected 1 to 128"),
    (
        "verb: restart\n      with: {service: \"${service}\"}",
        "verb: drain\n      with: {service: \"${service}\", instance: one, ttl: 2h}",
        "ttl: 2h",
        "steps[5].act.with.ttl: expected a time from 1s to 1h",
    ),
    ("verb: restart", "verb: restore", "verb: restore", "steps[5].act.with.to: missing: expected 1 to 128"),
    (
        "verb: restart\n      with: {service: \"${service}\"}",
        "verb: restore\n      with: {instance: lab, to: latest}",
        "1 replica",
        "steps[5].act.blast_radius: expected `all databases`, found `1 replica`",
    ),
    (
        "ttl: 10m}",
        "ttl: 10m, who: me}",
        "who: me",
        "steps[3].act.with.who: silence takes no `who`: expected alert",
    ),
    (
        "alert: TargetDown, service: \"${service}\", ttl",
        "service: \"${service}\", ttl",
        "verb: silence",
        "steps[3].act.with.alert: missing",
    ),
    (
        "1 replica",
        "2 replicas",
        "2 replicas",
        "steps[5].act.blast_radius: expected `1 replica`, found `2 replicas`",
    ),
    ("1 replica", "all replicas", "all replicas", "steps[5].act.blast_radius: expected `1 replica`"),
    ("1 replica", "1 session", "1 session", "steps[5].act.blast_radius: expected `1 replica`"),
    (
        "{incident}/restart",
        "{incident}/re start",
        "re start",
        "steps[5].act.idempotency_key: expected 1 to 128",
    ),
    ("undo: {nothing: the new", "undo: {because: the new", "because", "steps[5].act.undo"),
    (
        "{verb: expire-silence, with: {alert: TargetDown,",
        "{verb: redrive, with: {",
        "verb: redrive",
        "steps[3].act.undo.verb: expected a verb that reaches alerts",
    ),
    (
        "for: 2s, within: 30s",
        "for: 30s, within: 30s",
        "for: 30s",
        "steps[6].wait_until.within: expected more than `for`, which is 30s",
    ),
    (
        "    verify: {",
        "    wait_until: {",
        "name: restart",
        "steps[5]: nothing proves that it helped: expected a `verify` step",
    ),
    (
        "    undo: mute",
        "    undo: restart",
        "undo: restart",
        "steps[8].undo: expected an earlier act that can be taken back: mute",
    ),
    ("    approve: {why: a restart costs something}", "    choose: yes", "choose", "steps[4]"),
    (
        "    approve: {why: a restart costs something}\n",
        "",
        "name: agree",
        "steps[4]: expected exactly one of check",
    ),
    ("'up{job=", "'up{job=\"${unit}\", x=", "${unit}", "steps[6].wait_until.promql: `${unit}` is not known"),
];

#[test]
fn the_runbook_of_these_tests_is_sound() {
    assert_eq!(problems(TEXT), Vec::<String>::new());
}

#[test]
fn every_mistake_has_its_file_line_and_field() {
    for (old, new, line, message) in WRONG {
        assert!(TEXT.contains(old), "{old}");
        let text = TEXT.replacen(old, new, 1);
        let found = problems(&text);
        let place = format!("runbooks/Every.yaml:{}: ", line_of(&text, line));
        let meant = found
            .iter()
            .any(|problem| problem.starts_with(&place) && problem[place.len()..].starts_with(message));
        assert!(meant, "{new}: expected {place}{message}, found {found:#?}");
    }
}

#[test]
fn all_mistakes_are_found_in_one_run() {
    let text =
        TEXT.replace("level: warn", "level: loud").replace("1 replica", "9 replicas").replace("30s}", "1w}");
    assert!(problems(&text).len() >= 4, "{:#?}", problems(&text));
}
