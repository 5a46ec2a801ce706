//! Objectives on a running lab: the page and its end come when theory says.

use std::collections::BTreeSet;

use testkit::eventually;

use crate::lab::{BACK, Lab, text};

/// A fault, the service that has it, and the one objective that it misses, with the service whose promise that is.
const MISSES: &[(&str, &str, &str, &str, &str)] = &[
    // No request fails, and nothing is slow.
    ("order-api", "wrong-total", "rate=0.5", "OrderCorrectnessBudgetBurn", "order-worker"),
    // Slow is not down.
    ("order-api", "http-latency", "delay=400ms", "OrderLatencyBudgetBurn", "order-api"),
    // Nothing settles any more: nothing that could be timed.
    ("order-worker", "consumer-pause", "rate=1", "OrderFreshnessBudgetBurn", "order-api"),
];

#[tokio::test]
async fn a_page_and_its_end_come_when_theory_says() {
    let Some(lab) = Lab::up(&["--rate", "60"]).await else { return };
    let output = lab.run(&["slo", "detect", "--ratio", "100%,10%", "--json"]);
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    let report = lab.ok(&["slo", "report"]);
    assert!(report.contains("order-availability"), "{report}");
    let closed = lab.run(&["slo", "gate", "--slo", "order-availability", "--least", "99%"]);
    assert!(!closed.status.success(), "an outage was measured, so less is left");
    lab.ok(&["slo", "reset"]);
    lab.ok(&["slo", "gate", "--slo", "order-availability"]);
}

#[tokio::test]
async fn each_failure_pages_for_the_promise_that_it_breaks_and_for_no_other() {
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
        // The next one starts from a clean sheet.
        lab.ok(&["slo", "reset"]);
        eventually(BACK, || async {
            let alerts = lab.alerts();
            if alerts.is_empty() { Ok(()) } else { Err(format!("{alerts:?}")) }
        })
        .await;
    }
}
