//! Reports from responses as Prometheus returns them.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use slo::{
    Clock, explain,
    report::{Format, Report, Status},
};

use crate::support::{slo, slos};

fn sample(name: &str, slo: &str, value: &str) -> Value {
    json!({ "metric": { "__name__": name, "slo": slo, "service": "x" }, "value": [0, value] })
}

/// Series of one objective: error ratio of the period, budget left, error ratio of the last minute.
fn series(slo: &str, error: &str, left: &str, minute: &str) -> Vec<Value> {
    vec![
        sample("slo:period_error:ratio", slo, error),
        sample("slo:error_budget_remaining:ratio", slo, left),
        sample("slo:sli_error:ratio_rate5s", slo, minute),
        sample("slo:sli_error:ratio_rate30s", slo, minute),
        sample("slo:sli_error:ratio_rate1m", slo, minute),
        sample("slo:time_to_exhaustion:seconds", slo, "600"),
    ]
}

fn report() -> Report {
    let all = [
        series("order-availability", "0.0001", "0.9", "0"),
        series("order-latency", "0.02", "-1", "0.5"),
        series("order-freshness", "0.001", "0.9", "0.2"),
        series("order-correctness", "0.00009", "0.1", "0"),
        series("user-read-availability", "NaN", "NaN", "NaN"),
    ]
    .concat();
    let alerts = json!([
        { "state": "firing", "labels": { "alertname": "OrderFreshnessBudgetBurn", "slo": "order-freshness", "severity": "page", "long_window": "1m" } },
        { "state": "pending", "labels": { "alertname": "OrderAvailabilityBudgetBurn", "slo": "order-availability", "severity": "page", "long_window": "1m" } },
        { "state": "firing", "labels": { "alertname": "OrderLatencyBudgetSpent", "slo": "order-latency", "severity": "ticket" } },
        { "state": "firing", "labels": { "alertname": "Other", "slo": "order-availability", "severity": "page", "long_window": "1m" } },
    ]);
    let at: DateTime<Utc> = "2026-01-02T03:04:05Z".parse().expect("a time");
    Report::new(
        &slos(),
        Clock::Lab,
        at,
        &json!({ "data": { "result": all } }),
        &json!({ "data": { "alerts": alerts } }),
    )
}

#[test]
fn an_objective_is_healthy_at_risk_violated_or_unknown() {
    let report = report();
    let status = |name: &str| report.slos.iter().find(|line| line.slo == name).expect("a line").status;
    assert_eq!(
        status("order-availability"),
        Status::Healthy,
        "pending alerts and those of others do not count"
    );
    assert_eq!(status("order-latency"), Status::Violated);
    assert_eq!(status("order-freshness"), Status::AtRisk, "it fires");
    assert_eq!(status("order-correctness"), Status::AtRisk, "a tenth is left");
    assert_eq!(status("user-read-availability"), Status::NoData, "NaN is not data");
    assert_eq!(status("user-read-latency"), Status::NoData);
}

#[test]
fn the_gate_is_closed_by_a_spent_budget_and_by_missing_data() {
    let closed = report().closed(0.0);
    let names: Vec<_> = closed.iter().filter_map(|why| why.split(':').next()).collect();
    assert_eq!(names, ["order-latency", "user-read-availability", "user-read-latency"]);
    assert!(closed[0].contains("-100 % of the budget is left"), "{closed:?}");
    assert!(
        report()
            .closed(0.5)
            .iter()
            .any(|why| why.starts_with("order-correctness") && why.contains("50 % is needed"))
    );
}

#[test]
fn each_format_says_the_same() {
    let report = report();
    for format in [Format::Text, Format::Markdown, Format::Html, Format::Json] {
        let text = report.write(format).unwrap();
        for word in ["order-latency", "violated", "user-read-latency", "2026-01-02"] {
            assert!(text.contains(word), "{format:?} has no {word}:\n{text}");
        }
    }
    let text = report.write(Format::Text).unwrap();
    let line = text.lines().find(|line| line.starts_with("order-freshness")).unwrap();
    let cells: Vec<_> = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    assert_eq!(
        cells,
        ["order-freshness", "at risk", "99 %", "99.9 %", "90 %", "20.00 x", "10 min", "98 % kept", "page 1m"]
    );
    let json: Value = serde_json::from_str(&report.write(Format::Json).unwrap()).unwrap();
    assert_eq!(json["slos"].as_array().unwrap().len(), 6);
    let html = report.write(Format::Html).unwrap();
    assert_eq!(html.matches("<tr>").count(), 7);
}

#[test]
fn an_alert_is_explained_with_its_own_numbers() {
    let text = explain::explain(&slo("order-availability"), Clock::Production);
    for word in [
        "14.4 x",
        "50 h",
        "100 % bad: 51.8 s",
        "10 % bad: 8.64 min",
        "2 % bad: 43.2 min",
        "0.1 %",
        "2 % of it when it fires",
    ] {
        assert!(text.contains(word), "no `{word}` in:\n{text}");
    }
    let text = explain::explain(&slo("order-latency"), Clock::Lab);
    assert!(text.contains("10 % bad: never"), "{text}");
    for word in
        ["OrderLatencyBudgetEndsSoon", "lasts less than 24m", "OrderLatencyBudgetSpent", "5 % must be back"]
    {
        assert!(text.contains(word), "no `{word}` in:\n{text}");
    }
}

#[test]
fn a_spent_budget_and_an_agreement_are_in_the_report() {
    let report = report();
    let line = |name: &str| report.slos.iter().find(|line| line.slo == name).expect("a line");
    let words: Vec<_> = line("order-latency").firing.iter().map(slo::report::Firing::words).collect();
    assert_eq!(words, ["ticket spent"]);
    // A tenth of the budget is gone: 0.01 % of the events of a whole period.
    let sla = line("order-availability").sla.clone().expect("it is sold");
    assert_eq!(sla.words(), "99.5 % kept");
    assert_eq!(line("order-latency").sla, None, "nobody was sold a latency");
    let text = report.write(Format::Text).unwrap();
    assert!(text.lines().any(|line| line.contains("-100 %") && line.ends_with("ticket spent")), "{text}");
}
