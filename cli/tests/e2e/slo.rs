//! Objectives on a running lab: the page and its resolve come when theory says.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::lab::{BACK, Lab, eventually, text};

/// A service, its fault, the parameters, the only alert that may page, and the service that made the promise.
const MISSES: &[(&str, &str, &str, &str, &str)] = &[
    // No request fails, and none is slow.
    ("order-api", "wrong-total", "rate=0.5", "OrderCorrectnessBudgetBurn", "order-worker"),
    // Slow is not down.
    ("order-api", "http-latency", "delay=400ms", "OrderLatencyBudgetBurn", "order-api"),
    // Nothing settles any more, so nothing can be timed.
    ("order-worker", "consumer-pause", "rate=1", "OrderFreshnessBudgetBurn", "order-api"),
];

#[tokio::test]
async fn a_page_and_its_resolve_come_when_theory_says() {
    let Some(lab) = Lab::up(&["--rate", "60"]).await else { return };
    let output = lab.run(&["slo", "detect", "--ratio", "100%,10%", "--json"]);
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    let report = lab.ok(&["slo", "report"]);
    assert!(report.contains("order-availability"), "{report}");
    let closed = lab.run(&["slo", "gate", "--slo", "order-availability", "--least", "99%"]);
    assert!(!closed.status.success(), "the measured outage has spent part of the budget");
    let past = lab.json(&["slo", "report", "--since", "2m", "--format", "json"]);
    let spent = past["slos"][0]["budget_spent"].as_f64();
    assert!(spent.is_some_and(|spent| spent > 0.01), "the last outage is in the last two minutes: {past}");
    lab.ok(&["slo", "reset"]);
    lab.ok(&["slo", "gate", "--slo", "order-availability"]);
}

#[tokio::test]
async fn a_reset_refills_the_budget_resolves_its_pages_and_keeps_other_series() {
    let Some(lab) = Lab::up(&["--rate", "10"]).await else { return };
    let holds = async |query: &str| {
        eventually(BACK, || async {
            if lab.query(query).await.is_empty() { Err(format!("not yet: {query}")) } else { Ok(()) }
        })
        .await;
    };
    let burns = "ALERTS{slo=\"order-availability\", alertstate=\"firing\"}";
    lab.ok(&["break", "order-api", "http-error", "rate=1", "ttl=5m"]);
    holds(burns).await;
    lab.paged("OrderAvailabilityBudgetBurn", "order-api", "firing").await;
    holds("count_over_time(up{job=\"order-api\"}[5m]) > 10").await;
    lab.ok(&["fix"]);

    reset(&lab).await;
    lab.paged("OrderAvailabilityBudgetBurn", "order-api", "resolved").await;
    let recorded = lab
        .query("min_over_time(slo:error_budget_remaining:ratio{slo=\"order-availability\"}[5m]) < 1")
        .await;
    assert!(recorded.is_empty(), "the burn is still recorded: {recorded:?}");
    nothing_is_left_of_before(&lab).await;
    assert!(lab.query(burns).await.is_empty(), "an alert that has ended is still shown as firing");
    holds("count_over_time(up{job=\"order-api\"}[5m]) > 10").await;
    assert_eq!(lab.part("prometheus")["restarts"], 0, "an intended restart is not counted");
    let told = lab.pages().into_iter().find(|page| page["alertname"] == "ProcessRestarted");
    assert_eq!(told, None, "and causes no notification");
}

#[tokio::test]
async fn each_failure_pages_only_for_the_objective_that_it_violates() {
    let Some(lab) = Lab::up(&["--rate", "40"]).await else { return };
    let mut expected = BTreeSet::new();
    for (service, fault, parameters, alert, of) in MISSES {
        lab.ok(&["break", service, fault, parameters, "ttl=5m"]);
        expected.insert((*alert).to_owned());
        lab.paged(alert, of, "firing").await;
        lab.ok(&["fix"]);
        lab.paged(alert, of, "resolved").await;
        let paged: BTreeSet<String> = lab
            .pages()
            .iter()
            .filter(|page| page["severity"] == "page")
            .filter_map(|page| page["alertname"].as_str().map(str::to_owned))
            .collect();
        assert_eq!(paged, expected, "{fault}");
        // The next fault starts with full budgets.
        reset(&lab).await;
        eventually(BACK, || async {
            let alerts = lab.alerts();
            if alerts.is_empty() { Ok(()) } else { Err(format!("{alerts:?}")) }
        })
        .await;
    }
}

/// Of what the objectives recorded, no sample is older than the Prometheus that runs: one from the moment between the request and
/// the stop would be a total without the events that it counts, and after the restart all of them would be bad.
async fn nothing_is_left_of_before(lab: &Lab) {
    let url = format!("http://127.0.0.1:{}/api/v1/status/runtimeinfo", lab.port("prometheus", "prometheus"));
    let answer = reqwest::get(url).await.expect("Prometheus answers");
    let answer: Value = answer.json().await.expect("JSON");
    let began = answer["data"]["startTime"].as_str().expect("when it was started");
    let began: DateTime<Utc> = began.parse().expect("a time");
    let query = format!("count(last_over_time({{__name__=~\"slo:.+\"}}[10m] @ {}))", began.timestamp());
    let left = lab.query(&query).await;
    assert!(left.is_empty(), "recorded before the restart: {left:?}");
}

/// Resets, as soon as nothing burns any more: a page can end before the last of its windows does.
pub(crate) async fn reset(lab: &Lab) {
    eventually(BACK, || async {
        let output = lab.run(&["slo", "reset"]);
        if output.status.success() { Ok(()) } else { Err(text(&output.stderr)) }
    })
    .await;
}
