//! What other systems send: alerts of Alertmanager and events of the PagerDuty API.

use chrono::{DateTime, TimeDelta};
use incident::alerts::{alertmanager::Webhook, pagerduty};
use serde_json::Value;

use super::*;
use crate::{phone::Phone, store::journal_after};

fn started(seconds_ago: i64) -> DateTime<Utc> {
    Utc::now() - TimeDelta::seconds(seconds_ago)
}

fn notice(name: &str, service: &str, severity: &str, starts_at: DateTime<Utc>) -> Value {
    json!({
        "status": "firing", "fingerprint": format!("{name}/{service}"), "startsAt": starts_at,
        "endsAt": "0001-01-01T00:00:00Z",
        "labels": { "alertname": name, "service": service, "severity": severity },
        "annotations": { "summary": format!("{name} of {service}"), "runbook_url": "http://localhost/runbooks/X" },
    })
}

fn cleared(mut notice: Value) -> Value {
    notice["status"] = json!("resolved");
    notice["endsAt"] = json!(Utc::now());
    notice
}

fn message(alerts: &[Value]) -> Webhook {
    serde_json::from_value(json!({ "version": "4", "status": "firing", "alerts": alerts })).unwrap()
}

#[tokio::test]
async fn alerts_of_neighbours_are_one_incident_whose_title_and_severity_follow() {
    let Rig { desk, store, .. } = rig().await;
    let slow = notice("Slow", "order-api", "ticket", started(5));
    let taken = desk.alertmanager(&message(std::slice::from_ref(&slow))).await.unwrap();
    assert_eq!((taken.opened, taken.changed), (vec![Id(1)], vec![]));
    assert_eq!(desk.get(Id(1)).await.unwrap().title, "Slow of order-api");
    let burn = notice("Burn", "user-service", "page", started(1));
    let taken = desk.alertmanager(&message(&[slow, burn])).await.unwrap();
    assert_eq!((taken.opened, taken.changed), (vec![], vec![Id(1)]));
    let incident = desk.get(Id(1)).await.unwrap();
    assert_eq!(incident.title, "Slow of order-api (order-api, user-service)");
    assert_eq!((incident.severity, incident.alerts.len()), (Severity::Sev2, 2));
    let pages = Phone::open(&store, &Bus::default()).await.unwrap().after(0, 10).await.unwrap();
    let seen: Vec<_> = pages.iter().map(|page| (page.alertname.as_deref(), page.incident)).collect();
    assert_eq!(seen, [(Some("Slow"), Some(Id(1))), (Some("Burn"), Some(Id(1)))]);
    assert_eq!(pages[1].annotations["summary"], "Burn of user-service");
}

#[tokio::test]
async fn a_person_knows_better_than_the_rules() {
    let Rig { desk, .. } = rig().await;
    desk.alertmanager(&message(&[notice("Burn", "order-api", "page", started(5))])).await.unwrap();
    let title = "Checkout is broken".to_owned();
    let lower = What::SeveritySet { severity: Severity::Sev4, why: "a test".to_owned() };
    desk.act_all(Id(1), somebody(), vec![What::Renamed { title }, lower]).await.unwrap();
    desk.alertmanager(&message(&[notice("Burn", "user-service", "page", started(1))])).await.unwrap();
    let incident = desk.get(Id(1)).await.unwrap();
    assert_eq!((incident.title.as_str(), incident.severity), ("Checkout is broken", Severity::Sev4));
    desk.alertmanager(&message(&[notice("Down", "order-api", "critical", started(0))])).await.unwrap();
    assert_eq!(desk.get(Id(1)).await.unwrap().severity, Severity::Sev1, "worse than all that was known");
}

#[tokio::test]
async fn a_repetition_or_an_unknown_end_changes_nothing() {
    let Rig { desk, store, .. } = rig().await;
    let burn = notice("Burn", "order-api", "page", started(5));
    desk.alertmanager(&message(std::slice::from_ref(&burn))).await.unwrap();
    let before = journal_last(&store).await.unwrap();
    assert_eq!(desk.alertmanager(&message(std::slice::from_ref(&burn))).await.unwrap(), Taken::default());
    let nameless = json!({ "status": "firing", "labels": {}, "startsAt": started(1) });
    let other = cleared(notice("Other", "order-api", "page", started(9)));
    let taken = desk.alertmanager(&message(&[other, nameless])).await.unwrap();
    assert_eq!((taken.opened.len(), taken.changed.len()), (0, 0));
    assert_eq!(
        taken.ignored,
        ["Other/order-api: is not known to fire", "an alert without the label alertname"]
    );
    assert_eq!(journal_last(&store).await.unwrap(), before);
    assert_eq!(desk.recent(9).len(), 1);
}

#[tokio::test]
async fn what_is_clear_for_long_enough_resolves_and_opens_again_when_it_flaps() {
    let Rig { desk, .. } = rig().await;
    let burn = notice("Burn", "order-api", "page", started(5));
    desk.alertmanager(&message(std::slice::from_ref(&burn))).await.unwrap();
    assert_eq!(desk.resolve_due(Utc::now()).await.unwrap(), None, "it fires");
    desk.alertmanager(&message(&[cleared(burn)])).await.unwrap();
    let at = desk.resolve_due(Utc::now()).await.unwrap().expect("five seconds of the lab's clock later");
    assert_eq!(desk.get(Id(1)).await.unwrap().state, State::Triage);
    assert_eq!(desk.resolve_due(at).await.unwrap(), None);
    let resolved = desk.get(Id(1)).await.unwrap();
    assert_eq!((resolved.state, resolved.times.resolved), (State::Resolved, Some(at)));
    assert!(desk.open_ones().is_empty());
    assert_eq!(desk.measures(Viewer::Trainee).len(), 1);
    let taken =
        desk.alertmanager(&message(&[notice("Burn", "order-api", "page", started(0))])).await.unwrap();
    assert_eq!(taken.changed, [Id(1)]);
    let again = desk.get(Id(1)).await.unwrap();
    assert_eq!((again.state, again.reopened), (State::Active, 1));
}

#[tokio::test]
async fn a_page_after_closing_opens_a_new_incident_that_names_the_old_one() {
    let Rig { desk, .. } = rig().await;
    let burn = notice("Burn", "order-api", "page", started(5));
    desk.alertmanager(&message(std::slice::from_ref(&burn))).await.unwrap();
    desk.alertmanager(&message(&[cleared(burn)])).await.unwrap();
    let moved = |to| What::Moved { to, why: "rolled back".to_owned() };
    desk.act_all(Id(1), somebody(), vec![moved(State::Resolved), moved(State::Closed)]).await.unwrap();
    let taken =
        desk.alertmanager(&message(&[notice("Burn", "order-api", "page", started(0))])).await.unwrap();
    assert_eq!(taken.opened, [Id(2)]);
    assert_eq!(desk.get(Id(2)).await.unwrap().previous, Some(Id(1)));
}

#[tokio::test]
async fn the_heartbeat_is_told_and_is_no_incident() {
    let Rig { desk, bus, store } = rig().await;
    let mut news = bus.listen();
    let beat = notice("Watchdog", "prometheus", "none", started(60));
    let taken = desk.alertmanager(&message(std::slice::from_ref(&beat))).await.unwrap();
    assert_eq!(taken, Taken { alarms: 1, ..Taken::default() });
    let told = news.recv().await.unwrap();
    assert_eq!((told.seq, told.kind, &told.data["watchdog"]), (0, Kind::Watch, &Value::Bool(true)));
    let mixed = message(&[beat, notice("Burn", "order-api", "page", started(1))]);
    let taken = desk.alertmanager(&mixed).await.unwrap();
    assert_eq!((taken.alarms, taken.opened), (1, vec![Id(1)]));
    let rows = journal_after(&store, 0, 99).await.unwrap();
    assert!(rows.iter().all(|row| !row.data.to_string().contains("Watchdog")), "{rows:?}");
}

#[tokio::test]
async fn pagerduty_triggers_acknowledges_and_resolves() {
    let Rig { desk, .. } = rig().await;
    let event = |action: &str| -> pagerduty::Event {
        let payload = json!({ "summary": "Disk is full", "source": "db-1", "severity": "critical" });
        serde_json::from_value(json!({ "routing_key": "k", "event_action": action, "payload": payload }))
            .unwrap()
    };
    let nothing = desk.pagerduty(&event("acknowledge"), "disk").await.unwrap();
    assert_eq!((nothing.opened.len(), nothing.ignored.len()), (0, 1));
    assert_eq!(desk.pagerduty(&event("trigger"), "disk").await.unwrap().opened, [Id(1)]);
    assert_eq!(desk.pagerduty(&event("trigger"), "disk").await.unwrap(), Taken::default());
    assert_eq!(desk.pagerduty(&event("acknowledge"), "disk").await.unwrap().changed, [Id(1)]);
    let incident = desk.get(Id(1)).await.unwrap();
    assert_eq!((incident.state, incident.title.as_str()), (State::Active, "Disk is full"));
    assert_eq!(incident.acknowledged.as_ref().map(|one| one.by.as_str()), Some("pagerduty"));
    assert_eq!(desk.pagerduty(&event("resolve"), "disk").await.unwrap().changed, [Id(1)]);
    assert!(desk.get(Id(1)).await.unwrap().clear_since().is_some());
}
