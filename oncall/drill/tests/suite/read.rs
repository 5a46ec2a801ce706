//! Wrong files get an error that says what is wrong and where; nothing is guessed.

use crate::example::{EXAMPLE, example};

fn problems(file: &str, text: &str) -> Vec<String> {
    match drill::read(file, text) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.0.iter().map(ToString::to_string).collect(),
    }
}

fn line_of(text: &str, needle: &str) -> usize {
    1 + text.lines().position(|line| line.contains(needle)).unwrap_or_else(|| panic!("no line with {needle}"))
}

/// What to replace in the example, the replacement, a text in the reported line, and the start of the message.
const WRONG: &[(&str, &str, &str, &str)] = &[
    ("id: example", "id: Example", "id: Example", "id: `Example` is not a name"),
    ("id: example", "id: other", "id: other", "id: expected `example`, as the file is named"),
    ("difficulty: easy", "difficulty: mean", "mean", "difficulty: expected one of first-day, easy"),
    ("time_box: 10m", "time_box: 2h", "2h", "time_box: expected 1m to 50m"),
    ("layers: [http]", "layers: [http, cable]", "cable", "tags.layers[1]: expected one of http"),
    ("rps: 50,", "rps: 0,", "rps: 0", "load.rps: expected 1 to 2000, found 0"),
    (
        "change: release, name: user-service-3, service",
        "change: release, service",
        "nothing of interest",
        "noise[0].name: missing",
    ),
    (
        "{after: 2s, text: a colleague",
        "{after: 2s, name: hello, text: a colleague",
        "a colleague",
        "noise[1].name: expected no name",
    ),
    (
        "name: user-service-3",
        "name: release-2",
        "- {name: release-2",
        "changes[0].name: `release-2` is already taken",
    ),
    (
        "with: {rate: 0.3}",
        "with: {rate: 0.3, ttl: 5m}",
        "ttl",
        "faults[0].with.ttl: expected no such parameter",
    ),
    (
        "change: release-2, survives",
        "change: release-3, survives",
        "release-3",
        "faults[0].change: `release-3` is not in",
    ),
    (
        "name: effect, service: load",
        "name: cause, service: load",
        "name: cause, service: load",
        "causal_path[1].name: `cause`",
    ),
    (
        "from: cause",
        "from: effect",
        "from: effect",
        "causal_path[1].from: `effect` is not in the nodes above: expected one of cause",
    ),
    (
        "query: load_requests_total > 0",
        "query: other > 0",
        "other > 0",
        "causal_path[1].query: expected a query about",
    ),
    (
        "answer: bad-release",
        "answer: bad-luck",
        "bad-luck",
        "questions.mechanism.answer: `bad-luck` is not in",
    ),
    (
        "components: [order-api]",
        "components: [redis]",
        "[redis]",
        "questions.components[0]: `redis` is not on",
    ),
    (
        "still: errors",
        "still: error",
        "still: error,",
        "mitigations.wrong[0].still: `error` is not in `signals`",
    ),
    (
        "{flush_cache: true}",
        "{flush_cache: true, load: 5}",
        "load: 5",
        "mitigations.wrong[1].act: expected exactly one of",
    ),
    (
        "{flush_cache: true}",
        "{rollback: release-2}",
        "{rollback: release-2}, why: the cache",
        "mitigations.wrong[1].act: `roll back",
    ),
    (
        "{flush_cache: true}",
        "{rule: {service: edge, rule: scanners, to: gone}}",
        "to: gone",
        "mitigations.wrong[1].act.rule.to: expected one of off, simulate, enforce, restored",
    ),
    (
        "{flush_cache: true}",
        "{refused: a-coffee}",
        "{refused: a-coffee}",
        "mitigations.wrong[1].act.refused: expected one of restore-of-another, start-old-primary",
    ),
    (
        "{flush_cache: true}",
        "{failover: false}",
        "{failover: false}",
        "mitigations.wrong[1].act.failover: expected true",
    ),
    (
        "{flush_cache: true}",
        "{limit: {service: edge, rps: 0}}",
        "rps: 0}",
        "mitigations.wrong[1].act.limit.rps: expected 1 to 2000",
    ),
    (
        "fault: consumer-pause,",
        "fault: consumer-pause, rule: inline-script,",
        "rule: inline-script",
        "faults[1]: expected one of `fault`, `rule`, `sql` and `stopped`",
    ),
    (
        "fault: consumer-pause,",
        "replica: 2, fault: consumer-pause,",
        "replica: 2",
        "faults[1].replica: expected `replicas: {order-worker: 2}` or more",
    ),
    (
        "{service: order-api, protection: retry-budget}",
        "{service: order-api, replica: 2, protection: retry-budget}",
        "replica: 2",
        "weakened[0].replica: expected `replicas: {order-api: 2}` or more",
    ),
    (
        "fault: http-error, with",
        "rule: inline-script, with",
        "rate: 0.3",
        "faults[0].with: expected no parameters",
    ),
    ("seed: 7", "seed: 7\nreplicas: {order-api: 1}", "replicas:", "replicas.order-api: expected 2 to 9"),
    ("cost: 5", "cost: 50", "cost: 50", "hints[0].cost: expected 1 to 30, found 50"),
    ("nothing: fails", "nothing: passes", "nothing: passes", "validity.nothing: expected passes exactly if"),
    ("- {wait: 2s}", "- {wait: 2s, within: 3s}", "within: 3s}", "solve[1]: expected one of `act`, `wait`"),
    (
        "forbidden: [DeadLetters]",
        "forbidden: [OrderLatencyBudgetBurn]",
        "forbidden:",
        "pages.forbidden[0]: `OrderLatency",
    ),
    ("seed: 7", "seed: 7\ncolour: red", "colour", "colour"),
    ("seed: 7", "seed: seven", "seed: seven", "seed: "),
];

#[test]
fn each_mistake_is_reported_with_its_file_line_and_field() {
    assert_eq!(example().id, "example");
    for (from, to, line, message) in WRONG {
        assert!(EXAMPLE.contains(from), "{from}");
        let text = EXAMPLE.replacen(from, to, 1);
        let found = problems("drills/example.yaml", &text);
        let place = format!("drills/example.yaml:{}: ", line_of(&text, line));
        let hit = found.iter().any(|problem| {
            problem
                .strip_prefix(&place)
                .is_some_and(|rest| rest.starts_with(message) || rest.contains("colour"))
        });
        assert!(hit, "expected {place}{message}\nfound {found:#?}");
    }
}

#[test]
fn every_mistake_is_reported_at_once() {
    let text = EXAMPLE.replace("difficulty: easy", "difficulty: mean").replace("cost: 5", "cost: 50");
    let text = text.replace("good_for: 5s", "good_for: 5 years");
    assert_eq!(problems("drills/example.yaml", &text).len(), 3);
}

#[test]
fn a_drill_says_nothing_of_its_truth_before_it_is_over() {
    let brief = serde_json::to_string(&example().brief()).expect("JSON");
    for secret in ["http-error", "release-2", "order-api", "errors", "It was the release"] {
        assert!(!brief.contains(secret), "{secret} in {brief}");
    }
    assert!(brief.contains("Look at it.") && brief.contains("600"), "{brief}");
}
