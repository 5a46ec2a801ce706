//! Objectives that were declared: measured by query, shown with the others, and told to Alertmanager when they burn.

use control_room::objectives::ObjectiveFields;
use serde_json::{Value, json};
use testkit::eventually;

use crate::{
    SOON,
    fake::{Fake, samples},
    watching,
};

const ALERTS: &str = "/api/v2/alerts";
/// The query for the period, on the lab's clock.
const PERIOD: &str = "query:all 12h";

fn checkout() -> ObjectiveFields {
    let fields = json!({
        "service": "order-api", "owner": "shop", "promise": "Orders are answered.", "reason": "It is a test.",
        "indicator": "order-availability", "objective": 0.99, "window": "30d",
    });
    serde_json::from_value(fields).expect("fields")
}

/// The counts of every window, with this share of bad events.
fn counts(bad: f64) -> Value {
    let windows = ["5s", "30s", "1m", "2m", "6m", "24m", "72m", "12h"];
    let mut all = vec![(json!({ "count": "known" }), 0.5)];
    for window in windows {
        all.push((json!({ "count": format!("all {window}") }), 1000.0));
        all.push((json!({ "count": format!("part {window}") }), 1000.0 * bad));
    }
    samples(&all)
}

/// The alerts of checkout that were posted: their long window, and whether that was their end.
fn told(fake: &Fake) -> Vec<(String, bool)> {
    let posts = fake.posted(ALERTS).into_iter();
    let alerts = posts.flat_map(|post| post.as_array().cloned().unwrap_or_default());
    let own = alerts.filter(|alert| alert["labels"]["slo"] == "checkout");
    let time =
        |value: &Value| value.as_str().and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
    own.map(|alert| {
        assert_eq!(alert["labels"]["alertname"], "CheckoutBudgetBurn");
        let window = alert["labels"]["long_window"].as_str().unwrap_or_default().to_owned();
        let ends = time(&alert["endsAt"]).expect("a time");
        (window, ends <= chrono::Utc::now())
    })
    .collect()
}

#[tokio::test]
async fn a_declared_objective_that_burns_is_shown_and_alertmanager_is_told_until_it_ends() {
    let fake = Fake::start().await;
    fake.set(ALERTS, json!([]));
    fake.set("query:all 1m", counts(0.2));
    // To count a whole period may be too much for Prometheus.
    fake.fail(PERIOD);
    let room = watching(&fake, &[]).await;
    let objectives = &room.0.objectives;
    objectives.declare(&room.0.changes, "ada", "checkout", checkout()).await.expect("it is declared");
    let seen = eventually(SOON, || async {
        let seen = room.0.watch.seen();
        if seen.alerts.len() == 4 { Ok(seen) } else { Err(format!("{:?}", seen.alerts)) }
    })
    .await;
    assert!(seen.alerts.iter().all(|alert| alert.state == "firing" && alert.active_at.is_some()));
    let runbook = &seen.alerts[0].annotations["runbook_url"];
    assert!(runbook.ends_with("/runbooks/OrderAvailabilityBudgetBurn"), "that of its indicator: {runbook}");
    assert_eq!(objectives.measured("checkout").known, None, "and that delays nobody");
    fake.set(PERIOD, counts(0.2));
    let budget = eventually(SOON, || async {
        let seen = room.0.watch.seen();
        let mut own = seen.budgets.iter().filter(|one| one.slo == "checkout");
        let found = own.find(|one| one.burn.is_some() && one.remaining.is_some()).cloned();
        found.ok_or_else(|| format!("{:?}", seen.budgets))
    })
    .await;
    // 20 % bad at 99 % is a burn rate of 20; half of the period has been seen.
    let close = |found: Option<f64>, expected: f64| (found.expect("known") - expected).abs() < 1e-9;
    assert!(close(budget.burn, 20.0) && close(budget.remaining, -9.0), "{budget:?}");
    eventually(SOON, || async {
        let told = told(&fake);
        let all =
            ["1m", "6m", "24m", "72m"].iter().all(|window| told.contains(&((*window).to_owned(), false)));
        if all { Ok(()) } else { Err(format!("{told:?}")) }
    })
    .await;

    // It is over: each alert is ended once, and none is shown.
    fake.set("query:all 1m", counts(0.0));
    eventually(SOON, || async {
        let ended = told(&fake).iter().filter(|(_, over)| *over).count();
        let shown = room.0.watch.seen().alerts.len();
        if (ended, shown) == (4, 0) { Ok(()) } else { Err(format!("{ended} ended, {shown} shown")) }
    })
    .await;
}

#[tokio::test]
async fn without_an_answer_nothing_is_known_and_no_alert_is_ended() {
    let fake = Fake::start().await;
    fake.set(ALERTS, json!([]));
    fake.set("query:all 1m", counts(0.2));
    let room = watching(&fake, &[]).await;
    let objectives = &room.0.objectives;
    objectives.declare(&room.0.changes, "ada", "checkout", checkout()).await.expect("it is declared");
    let firing = async |count: usize| {
        eventually(SOON, || async {
            let found = objectives.firing();
            if found.len() == count { Ok(()) } else { Err(format!("{found:?}")) }
        })
        .await;
    };
    firing(4).await;
    fake.fail("query:all 1m");
    firing(0).await;
    assert_eq!(objectives.measured("checkout"), slo::live::Measured::default());
    assert!(told(&fake).iter().all(|(_, over)| !over), "Alertmanager ends them by itself");

    // What is withdrawn ends.
    fake.set("query:all 1m", counts(0.2));
    firing(4).await;
    objectives.withdraw(&room.0.changes, "ada", "checkout").await.expect("it is withdrawn");
    firing(0).await;
    assert!(told(&fake).iter().any(|(_, over)| *over));
}
