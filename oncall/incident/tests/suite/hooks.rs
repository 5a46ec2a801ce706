//! What Alertmanager and PagerDuty's senders really send.

use incident::{
    EntryKind, Severity, Source,
    alerts::{
        AlertKey, Book, Change,
        alertmanager::Webhook,
        pagerduty::{ChangeEvent, Event},
    },
};

use serde_json::json;

use crate::support::after;

/// Alertmanager 0.25: no reason, no labels of the route, the year 1 as the end of what fires.
const FIRING: &str = r#"{
  "receiver": "page", "status": "firing", "version": "4", "truncatedAlerts": 0,
  "groupKey": "{}/{severity=\"page\"}:{alertname=\"OrderAvailabilityBudgetBurn\"}",
  "groupLabels": {"alertname": "OrderAvailabilityBudgetBurn"},
  "commonLabels": {"alertname": "OrderAvailabilityBudgetBurn", "severity": "page"},
  "commonAnnotations": {}, "externalURL": "http://localhost:9093",
  "alerts": [{
    "status": "firing",
    "labels": {"alertname": "OrderAvailabilityBudgetBurn", "service": "order-api", "severity": "page"},
    "annotations": {"summary": "Orders fail", "runbook_url": "http://localhost/runbook"},
    "startsAt": "2026-06-01T12:00:05.123Z", "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://localhost:9090/graph?g0.expr=up", "fingerprint": "5ef77f1f8a3ecb8d"
  }]
}"#;

fn message(text: &str) -> Webhook {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}

fn resolved(ends: &str) -> Webhook {
    let text = FIRING.replace("\"status\": \"firing\"", "\"status\": \"resolved\"");
    message(&text.replace("0001-01-01T00:00:00Z", ends))
}

fn key() -> AlertKey {
    AlertKey {
        fingerprint: "5ef77f1f8a3ecb8d".to_owned(),
        starts_at: "2026-06-01T12:00:05.123Z".parse().expect("a time"),
    }
}

#[test]
fn an_alert_fires_once_however_often_it_is_sent_and_clears_once() {
    let mut book = Book::default();
    let fired = book.alertmanager(&message(FIRING), after(10));
    let [Change::Fired(alert)] = fired.as_slice() else { panic!("{fired:?}") };
    assert_eq!((alert.key.clone(), alert.severity), (key(), Severity::Sev2));
    assert_eq!(
        (alert.name.as_str(), alert.service.as_deref()),
        ("OrderAvailabilityBudgetBurn", Some("order-api"))
    );
    assert_eq!(
        (alert.summary.as_str(), alert.runbook.as_deref()),
        ("Orders fail", Some("http://localhost/runbook"))
    );
    assert_eq!(book.alertmanager(&message(FIRING), after(20)), [Change::Repeated(key())]);
    assert_eq!(book.count(), 1);
    let end = "2026-06-01T12:00:40Z";
    assert_eq!(book.alertmanager(&resolved(end), after(45)), [Change::Cleared(key(), after(40))]);
    assert_eq!(
        book.alertmanager(&resolved(end), after(46)),
        [Change::Unknown(key())],
        "a retry of the same message"
    );
    assert_eq!(book.count(), 0);
}

#[test]
fn the_end_of_an_unknown_alert_begins_nothing() {
    let mut book = Book::default();
    assert_eq!(book.alertmanager(&resolved("2026-06-01T12:00:40Z"), after(45)), [Change::Unknown(key())]);
    assert_eq!(book.count(), 0);
}

#[test]
fn an_alert_that_is_missing_from_a_message_has_not_cleared() {
    let mut book = Book::default();
    book.alertmanager(&message(FIRING), after(10));
    let empty = FIRING.split("\"alerts\"").next().map(|head| format!("{head}\"alerts\": null}}")).unwrap();
    assert!(book.alertmanager(&message(&empty), after(20)).is_empty());
    assert_eq!(book.count(), 1);
}

#[test]
fn an_end_that_cannot_be_true_is_replaced_by_the_time_of_the_message() {
    for end in ["0001-01-01T00:00:00Z", "2026-06-01T11:00:00Z", "2027-01-01T00:00:00Z"] {
        let mut book = Book::default();
        book.alertmanager(&message(FIRING), after(10));
        assert_eq!(
            book.alertmanager(&resolved(end), after(45)),
            [Change::Cleared(key(), after(45))],
            "{end}"
        );
    }
}

#[test]
fn an_alert_that_fires_again_is_a_new_one() {
    let mut book = Book::default();
    book.alertmanager(&message(FIRING), after(10));
    book.alertmanager(&resolved("2026-06-01T12:00:40Z"), after(45));
    let again = message(&FIRING.replace("12:00:05.123", "12:01:00"));
    let fired = book.alertmanager(&again, after(61));
    assert!(matches!(fired.as_slice(), [Change::Fired(alert)] if alert.key != key()), "{fired:?}");
    // Late, and about the first one: a page too many is better than one too few.
    let late = book.alertmanager(&message(FIRING), after(62));
    assert!(matches!(late.as_slice(), [Change::Fired(_)]), "{late:?}");
}

#[test]
fn fields_of_newer_and_unknown_versions_are_kept() {
    let newer = FIRING
        .replace("\"version\": \"4\",", "\"version\": \"4\", \"notification_reason\": \"FirstNotification\", \"routeLabels\": {\"team\": \"orders\"}, \"mood\": 3,")
        .replace("\"status\": \"firing\",\n    \"labels\"", "\"status\": \"firing\", \"silencedBy\": [],\n    \"labels\"");
    let webhook = message(&newer);
    assert_eq!(webhook.notification_reason.as_deref(), Some("FirstNotification"));
    assert_eq!(webhook.route_labels["team"], "orders");
    assert_eq!(webhook.other["mood"], 3);
    assert!(webhook.alerts[0].other.contains_key("silencedBy"));
    let again: Webhook = serde_json::from_value(serde_json::to_value(&webhook).unwrap()).unwrap();
    assert_eq!(again, webhook, "nothing is lost on the way through a store");
    let fired = Book::default().alertmanager(&message(&newer.replace("[],", "[\"s1\"],")), after(10));
    let [Change::Fired(alert)] = fired.as_slice() else { panic!("{fired:?}") };
    assert_eq!(serde_json::to_value(&alert.details).unwrap(), json!({ "mood": 3, "silencedBy": ["s1"] }));
}

#[test]
fn what_is_kept_of_unknown_fields_is_bounded() {
    let many: String = (0..50).map(|n| format!("\"field{n:02}\": {n}, ")).collect();
    let long = "x".repeat(5000);
    let text = FIRING.replacen('{', &format!("{{\"a\": \"{long}\", \"b\": null, {many}"), 1);
    let fired = Book::default().alertmanager(&message(&text), after(10));
    let [Change::Fired(alert)] = fired.as_slice() else { panic!("{fired:?}") };
    assert_eq!(alert.details.len(), 20);
    assert_eq!(alert.details["a"], "5002 bytes, too long to be kept");
    assert!(!alert.details.contains_key("b"), "it says nothing");
    let fired = Book::default().alertmanager(&message(FIRING), after(10));
    let [Change::Fired(alert)] = fired.as_slice() else { panic!("{fired:?}") };
    let stored = serde_json::to_value(alert).unwrap();
    assert!(stored.get("details").is_none(), "nothing is written of nothing: {stored}");
}

#[test]
fn part_of_a_message_may_be_unusable() {
    let text =
        FIRING.replacen("\"alerts\": [{", "\"alerts\": [{\"status\": \"firing\", \"labels\": {}}, {", 1);
    let changes = Book::default().alertmanager(&message(&text), after(10));
    assert!(matches!(&changes[0], Change::Unusable(why) if why.contains("alertname")), "{changes:?}");
    assert!(matches!(&changes[1], Change::Fired(_)), "the rest counts: {changes:?}");
    assert!(Book::default().alertmanager(&message("{}"), after(10)).is_empty());
}

#[test]
fn an_ended_alert_is_forgotten_and_a_firing_one_never() {
    let mut book = Book::default();
    book.alertmanager(&message(FIRING), after(10));
    book.forget(after(1_000_000));
    assert_eq!(book.count(), 1);
    book.alertmanager(&resolved("2026-06-01T12:00:40Z"), after(45));
    book.forget(after(46));
    assert_eq!(book.alertmanager(&resolved("2026-06-01T12:00:40Z"), after(47)), [Change::Unknown(key())]);
}

const TRIGGER: &str = r#"{
  "routing_key": "0123456789abcdef0123456789abcdef", "event_action": "trigger", "dedup_key": "disk-full/db1",
  "client": "Grafana", "client_url": "http://localhost:3000", "links": [{"href": "http://localhost/graph", "text": "graph"}],
  "images": [], "payload": {"summary": "Disk is full", "source": "db1", "severity": "critical", "component": "postgres",
  "custom_details": {"free": "0 %"}}, "x_new": true
}"#;

fn event(text: &str) -> Event {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn a_pagerduty_event_triggers_is_acknowledged_and_resolves_by_its_key() {
    let mut book = Book::default();
    let trigger = event(TRIGGER);
    assert_eq!(trigger.other["x_new"], true);
    let accepted = trigger.check("fresh").expect("a sound event");
    assert_eq!(
        serde_json::to_string(&accepted).unwrap(),
        r#"{"status":"success","message":"Event processed","dedup_key":"disk-full/db1"}"#
    );
    let Change::Fired(alert) = book.pagerduty(&trigger, "disk-full/db1", after(1)) else {
        panic!("it fires")
    };
    assert_eq!((alert.severity, alert.service.as_deref()), (Severity::Sev1, Some("postgres")));
    assert_eq!(alert.link.as_deref(), Some("http://localhost:3000"));
    let kept = json!({
        "free": "0 %", "client": "Grafana", "x_new": true, "links": [{"href": "http://localhost/graph", "text": "graph"}],
    });
    assert_eq!(serde_json::to_value(&alert.details).unwrap(), kept);
    let key = alert.key.clone();
    assert_eq!(key.starts_at, after(1));
    assert_eq!(book.pagerduty(&trigger, "disk-full/db1", after(2)), Change::Repeated(key.clone()));
    let with = |action: &str| event(&TRIGGER.replace("\"trigger\"", &format!("\"{action}\"")));
    assert_eq!(
        book.pagerduty(&with("acknowledge"), "disk-full/db1", after(3)),
        Change::Acknowledged(key.clone())
    );
    assert_eq!(
        book.pagerduty(&with("resolve"), "disk-full/db1", after(4)),
        Change::Cleared(key.clone(), after(4))
    );
    assert!(matches!(book.pagerduty(&with("resolve"), "disk-full/db1", after(5)), Change::Unknown(_)));
    assert!(matches!(book.pagerduty(&with("acknowledge"), "disk-full/db1", after(5)), Change::Unknown(_)));
    let Change::Fired(again) = book.pagerduty(&trigger, "disk-full/db1", after(6)) else {
        panic!("it fires again")
    };
    assert_ne!(again.key, key, "a trigger after the end is a new alert");
}

#[test]
fn a_trigger_without_a_key_gets_one_and_a_wrong_event_is_told_what_is_wrong() {
    let bare = event(&TRIGGER.replace("\"dedup_key\": \"disk-full/db1\",", ""));
    assert_eq!(bare.check("fresh").expect("sound").dedup_key.as_deref(), Some("fresh"));
    let long = "x".repeat(1025);
    for (right, wrong, said) in [
        ("\"0123456789abcdef0123456789abcdef\"", "\" \"", "'routing_key' is missing or blank"),
        ("\"trigger\"", "\"page\"", "'event_action' is `page`: expected trigger, acknowledge or resolve"),
        ("Disk is full", long.as_str(), "'payload.summary' is longer than 1024 characters"),
        ("\"source\": \"db1\",", "", "'payload.source' is missing or blank"),
        (
            "\"critical\"",
            "\"SEV-1\"",
            "'payload.severity' is `SEV-1`: expected critical, error, warning or info",
        ),
        ("disk-full/db1", &long[..256], "'dedup_key' is longer than 255 characters"),
    ] {
        let rejected = event(&TRIGGER.replace(right, wrong)).check("fresh").expect_err(wrong);
        assert_eq!(rejected.errors, [said]);
        assert_eq!((rejected.status, rejected.message), ("invalid event", "Event object is invalid"));
    }
    let end = event(r#"{"routing_key": "k", "event_action": "resolve"}"#);
    assert_eq!(
        end.check("fresh").unwrap_err().errors,
        ["'dedup_key' is missing or blank: expected that of the trigger"]
    );
    assert_eq!(event("{}").check("fresh").unwrap_err().errors.len(), 2);
}

#[test]
fn a_change_event_is_an_entry_of_its_own() {
    let text = r#"{"routing_key": "k", "payload": {"summary": "order-api 1.2.3 deployed", "source": "argo", "timestamp": "2026-06-01T14:00:30+02:00"}, "links": []}"#;
    let change: ChangeEvent = serde_json::from_str(text).unwrap();
    assert_eq!(change.check().unwrap().message, "Change event processed");
    let entry = change.entry(after(60));
    assert_eq!((entry.at, entry.kind), (after(30), EntryKind::Change));
    assert_eq!(entry.source, Source::System("argo".to_owned()));
    let undated = ChangeEvent {
        payload: Some(incident::alerts::pagerduty::Payload {
            timestamp: Some("today".to_owned()),
            ..change.payload.clone().unwrap()
        }),
        ..change
    };
    assert_eq!(undated.entry(after(60)).at, after(60));
    let empty: ChangeEvent = serde_json::from_str("{}").unwrap();
    assert_eq!(
        empty.check().unwrap_err().errors,
        ["'routing_key' is missing or blank", "'payload' is missing"]
    );
}
