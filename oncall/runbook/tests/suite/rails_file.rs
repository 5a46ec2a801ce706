//! The file of the guardrails: each mistake in it has its place.

use runbook::guardrails::Then;

use crate::support::file;

/// What to replace in the committed file, the replacement, and the message with its place.
const WRONG: &[(&str, &str, &str)] = &[
    ("then: deny", "then: no", "rules[0].then: expected auto, ask or deny, found `no`"),
    (
        "verbs: [redrive]",
        "verbs: [replay]",
        "rules[8].verbs[0]: `replay` is not a verb: expected one of restart",
    ),
    (
        "verbs: [remove-files]",
        "verbs: [restore]",
        "rules[5].verbs[0]: `restore` always needs a second person: expected a rule with `then: ask` or `deny`",
    ),
    ("    targets: [redis]\n", "", "rules[7]: expected `verbs` and `targets`"),
    (
        "name: replay-with-care",
        "name: restart-stuck-consumers",
        "rules[8].name: `restart-stuck-consumers` is already",
    ),
    ("{most: 6, within: 1h}", "{most: 6, within: 1s}", "limits.global.within: expected a time from 1m to 7d"),
    ("failed_verifies: 2", "failed_verifies: 0", "breaker.failed_verifies: expected 1 to 10, found 0"),
    ("order-worker: 0", "order-worker: none", "minimum_healthy.order-worker: "),
    ("Europe/Berlin", "Berlin", "quiet_hours.zone: `Berlin` is not a time zone: expected `Europe/Berlin`"),
    ("\"23:00\"", "11pm", "quiet_hours.from: expected hours and minutes such as \"22:00\", found `11pm`"),
    ("limits:", "limit:", "limit"),
];

#[test]
fn every_mistake_in_the_file_has_its_line_and_field() {
    let good = file("guardrails.yaml");
    for (old, new, message) in WRONG {
        assert_eq!(good.matches(old).count(), 1, "{old}");
        let text = good.replace(old, new);
        let problems = runbook::read_guardrails("guardrails.yaml", &text).expect_err(new).to_string();
        assert!(problems.starts_with("guardrails.yaml:") && problems.contains(message), "{new}: {problems}");
    }
}

#[test]
fn rules_from_beside_the_file_are_read_as_its_own_are() {
    let document = |rule: &str| format!(r#"{{"rules":[{rule}]}}"#);
    let freeze =
        document(r#"{"name":"freeze","why":"the audit","then":"deny","verbs":["restart"],"targets":[]}"#);
    let rules = runbook::read_rules("api", &freeze).expect("a rule");
    assert_eq!((rules.len(), rules[0].name.as_str(), rules[0].then), (1, "freeze", Then::Deny));
    for (rule, message) in [
        (r#"{"name":"x","why":" ","then":"deny"}"#, "rules[0].why: empty"),
        (r#"{"name":"x","why":"y","then":"auto"}"#, "rules[0]: expected `verbs` and `targets`"),
        (
            r#"{"name":"x","why":"y","then":"deny","verbs":["erase"]}"#,
            "rules[0].verbs[0]: `erase` is not a verb",
        ),
    ] {
        let problems = runbook::read_rules("api", &document(rule)).expect_err(rule).to_string();
        assert!(problems.starts_with("api:1: ") && problems.contains(message), "{problems}");
    }
}
