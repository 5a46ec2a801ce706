//! Objectives on a running lab: the page and its end come when theory says.

use crate::lab::{Lab, text};

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
