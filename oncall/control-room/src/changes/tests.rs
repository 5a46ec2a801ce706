use chrono::TimeDelta;
use incident::{Severity, correlate::Graph};

use super::*;
use crate::desk::New;

fn change(kind: &str, service: Option<&str>, minutes_ago: i64) -> Change {
    Change {
        at: Utc::now() - TimeDelta::minutes(minutes_ago),
        kind: kind.to_owned(),
        service: service.map(str::to_owned),
        text: format!("{kind} {minutes_ago} min ago"),
        by: "argo".to_owned(),
        link: Some("https://ci.example/7".to_owned()),
    }
}

#[tokio::test]
async fn the_newest_changes_come_first_and_are_read_again() {
    let (store, bus) = (Store::open(None).await.unwrap(), Bus::default());
    let changes = Changes::open(&store, &bus).await.unwrap();
    // A report may come late.
    for (kind, minutes) in [("flag", 2), ("release", 10), ("other", 90)] {
        changes.record(change(kind, None, minutes)).await.unwrap();
    }
    let kinds = |changes: &Changes, minutes| {
        let since = changes.since(Utc::now() - TimeDelta::minutes(minutes));
        since.into_iter().map(|change| change.kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&changes, 60), ["flag", "release"]);
    let again = Changes::open(&store, &bus).await.unwrap();
    assert_eq!(kinds(&again, 600), ["flag", "release", "other"]);
    let nothing = Change { text: " ".to_owned(), ..change("flag", None, 1) };
    assert!(changes.record(nothing).await.unwrap_err().to_string().starts_with("text: expected"));
}

#[tokio::test]
async fn a_change_is_noted_in_the_open_incidents_that_affect_its_service() {
    let (store, bus) = (Store::open(None).await.unwrap(), Bus::default());
    let changes = Changes::open(&store, &bus).await.unwrap();
    let desk = Desk::open(&store, &bus, Graph::default(), 60).await.unwrap();
    for service in ["order-api", "user-service"] {
        let services = vec![service.to_owned()];
        let new = New {
            title: "It hurts".to_owned(),
            description: String::new(),
            severity: Severity::Sev3,
            services,
        };
        desk.create(Source::ControlRoom, new).await.unwrap();
    }
    changes.record_in(&desk, change("restart", Some("order-api"), 1)).await.unwrap();
    changes.record_in(&desk, change("release", Some("order-worker"), 1)).await.unwrap();
    let noted: Vec<_> = desk
        .open_ones()
        .iter()
        .map(|incident| {
            let entries = incident.timeline.iter().filter(|entry| entry.kind == EntryKind::Restart);
            entries.map(|entry| entry.text.clone()).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(noted, [vec!["restart 1 min ago (https://ci.example/7)".to_owned()], vec![]]);
    changes.record_in(&desk, change("flag", None, 2)).await.unwrap();
    let everywhere = desk.open_ones().iter().all(|incident| {
        incident
            .timeline
            .iter()
            .any(|entry| entry.kind == EntryKind::Change && entry.text.starts_with("flag"))
    });
    assert!(everywhere, "it may concern any service");
    assert_eq!(changes.since(DateTime::UNIX_EPOCH).len(), 3);
}
