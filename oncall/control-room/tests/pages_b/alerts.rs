//! Alerts, objectives, runbooks.

use reqwest::Method;
use serde_json::json;

use crate::rig::{Rig, Who::Trainee, between};

#[tokio::test]
async fn an_alert_that_fires_is_shown_with_its_evidence_and_what_is_not_known_is_said() {
    let rig = Rig::start().await;
    rig.prometheus.with(|memory| {
        memory.alerts = vec![json!({
            "labels": { "alertname": "OrderAvailabilityBudgetBurn", "service": "order-api", "severity": "page" },
            "annotations": {
                "summary": "Orders fail <b>now</b>",
                "dashboard_url": "http://localhost:8080/d/slo?var-slo=order-availability",
            },
            "state": "firing", "activeAt": "2026-11-29T07:00:00Z", "value": "1",
        })];
    });
    let page = rig.until(Trainee, "/alerts", "1 alert fires").await;
    for text in [
        "OrderAvailabilityBudgetBurn",
        "SEV-2",
        "Orders fail &lt;b&gt;now&lt;/b&gt;",
        "href=\"/runbooks/OrderAvailabilityBudgetBurn\"",
        "href=\"/d/slo?var-slo=order-availability\"",
        "title=\"2026-11-29 07:00:00 UTC\"",
        "Orders are answered",
        "99.9 % of events over",
        "not known",
        "Alertmanager does not answer",
        "/alerts/objectives/order-availability/burn.json",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let curve = rig.page(Trainee, "/alerts/objectives/order-availability/burn.json").await;
    let curve: serde_json::Value = serde_json::from_str(&curve).expect("JSON");
    assert_eq!(curve["thresholds"][0]["value"], 14.4, "{curve}");
    assert_eq!(rig.get(Trainee, "/alerts/objectives/nothing/burn.json").await.status, 404);
    rig.stop().await;
}

#[tokio::test]
async fn a_declared_objective_has_a_card_that_says_whose_it_is() {
    let rig = Rig::start().await;
    let fields = json!({
        "title": "Checkout <works>", "service": "order-api", "owner": "shop", "promise": "Orders are answered.",
        "reason": "It is a test.", "indicator": "order-availability", "objective": 0.995, "window": "7d",
    });
    rig.api(Method::PUT, "/api/v1/slos/checkout", Some(&fields)).await;
    let page = rig.page(Trainee, "/alerts").await;
    let card = between(&page, "id=\"checkout\"", "</article>");
    for text in [
        "Checkout &lt;works&gt;",
        "99.5 % of events over",
        "by ada, through the API",
        "href=\"/runbooks/OrderAvailabilityBudgetBurn\"",
        "/alerts/objectives/checkout/burn.json",
    ] {
        assert!(card.contains(text), "{text}: {card}");
    }
    let curve = rig.page(Trainee, "/alerts/objectives/checkout/burn.json").await;
    let curve: serde_json::Value = serde_json::from_str(&curve).expect("JSON");
    assert_eq!(curve["thresholds"][0]["value"], 14.4, "{curve}");
    rig.stop().await;
}

#[tokio::test]
async fn every_runbook_is_a_page_and_its_queries_lead_to_their_curves() {
    let rig = Rig::start().await;
    let list = rig.page(Trainee, "/runbooks").await;
    let names: Vec<&str> =
        list.split("href=\"/runbooks/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(names.len() > 50, "{names:?}");
    for name in &names {
        let page = rig.page(Trainee, &format!("/runbooks/{name}")).await;
        assert!(page.contains(&format!("{name}</h1>")), "{name}");
        assert!(!page.contains("href=\"../"), "{name} has a link to a file");
    }
    let page = rig.page(Trainee, "/runbooks/CacheFailing").await;
    assert!(page.contains("href=\"/explore?query=") && page.contains("Open in Explore"), "{page}");
    let file = rig.get(Trainee, "/runbooks/CacheFailing.md").await;
    assert_eq!((file.status, &*file.location), (308, "/runbooks/CacheFailing"));
    let missing = rig.get(Trainee, "/runbooks/Nothing").await;
    assert_eq!(missing.status, 404);
    assert!(missing.body.contains("Nothing"), "{}", missing.body);
    rig.stop().await;
}
