//! The desk on a file: what was answered survives the end of the process, and memory is never different from the journal.

use std::path::Path;

use chrono::{TimeDelta, Utc};
use control_room::{
    bus::Bus,
    desk::{Desk, New},
    store::{Store, journal_after},
};
use incident::{
    EntryKind, Id, Incident, Severity, Source, State, Truth, What,
    alerts::{alertmanager::Webhook, pagerduty},
    correlate::Graph,
};
use proptest::prelude::*;
use serde_json::{Value, json};

async fn open(file: Option<&Path>) -> (Store, Desk) {
    let store = Store::open(file).await.expect("a store");
    let graph = Graph::new([("order-api", "user-service")]);
    let desk = Desk::open(&store, &Bus::default(), graph, 60).await.expect("a desk");
    (store, desk)
}

fn somebody() -> Source {
    Source::Person("ada".to_owned())
}

/// Alertmanager's message about one alert; nanoseconds, as some senders have them.
fn webhook(status: &str, name: &str, service: &str) -> Webhook {
    let ends = if status == "resolved" { json!(Utc::now()) } else { json!("0001-01-01T00:00:00Z") };
    serde_json::from_value(json!({ "alerts": [{
        "status": status, "startsAt": "2026-06-01T12:00:00.123456789Z", "endsAt": ends,
        "labels": { "alertname": name, "service": service, "severity": "page" }, "annotations": Value::Null,
    }] }))
    .expect("a webhook")
}

fn event(action: &str) -> pagerduty::Event {
    let payload = json!({ "summary": "Disk is full", "source": "db-1", "severity": "error" });
    serde_json::from_value(json!({ "event_action": action, "payload": payload })).expect("an event")
}

#[tokio::test]
async fn a_new_process_goes_on_where_the_last_one_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("room.db");
    let (_, desk) = open(Some(&file)).await;
    desk.alertmanager(&webhook("firing", "Burn", "order-api")).await.expect("taken");
    desk.pagerduty(&event("trigger"), "disk").await.expect("taken");
    desk.act(Id(1), somebody(), What::Acknowledged).await.expect("possible");
    let before: Vec<Incident> = desk.recent(9).iter().map(|one| (**one).clone()).collect();
    // As after SIGKILL: nothing is closed in order.
    let (store, again) = open(Some(&file)).await;
    assert_eq!(again.recent(9).iter().map(|one| (**one).clone()).collect::<Vec<_>>(), before);
    let rows = journal_after(&store, 0, 999).await.expect("rows").len();
    again.alertmanager(&webhook("firing", "Burn", "order-api")).await.expect("taken");
    again.pagerduty(&event("trigger"), "disk").await.expect("taken");
    assert_eq!(journal_after(&store, 0, 999).await.expect("rows").len(), rows, "both are known to fire");
    let ended = again.alertmanager(&webhook("resolved", "Burn", "order-api")).await.expect("taken");
    assert_eq!(ended.changed, [Id(1)]);
    assert_eq!(again.pagerduty(&event("resolve"), "disk").await.expect("taken").changed, [Id(2)]);
    let later = Utc::now() + TimeDelta::seconds(60);
    assert_eq!(again.resolve_due(later).await.expect("looked"), None);
    assert!(again.open_ones().is_empty());
}

#[tokio::test]
async fn sealed_rows_of_the_journal_say_so() {
    let (store, desk) = open(None).await;
    let new = New {
        title: "It hurts".to_owned(),
        description: String::new(),
        severity: Severity::Sev3,
        services: Vec::new(),
    };
    desk.create(somebody(), new).await.expect("possible");
    let note = |sealed| What::Noted {
        kind: EntryKind::Note,
        happened_at: Utc::now(),
        text: "a note".to_owned(),
        evidence: Vec::new(),
        sealed,
    };
    let truth = Truth {
        fault: "latency".to_owned(),
        service: "order-api".to_owned(),
        since: Utc::now(),
        by: "instructor".to_owned(),
    };
    let what = vec![note(false), note(true), What::TruthSealed { truth }];
    let incident = desk.act_all(Id(1), Source::ControlRoom, what).await.expect("possible");
    let rows = journal_after(&store, 0, 99).await.expect("rows");
    assert_eq!(rows.iter().map(|row| row.sealed).collect::<Vec<_>>(), [false, false, true, true]);
    assert!(!serde_json::to_string(&*incident).expect("JSON").contains("latency"));
}

/// Something that may be done, possible or not.
fn step() -> impl Strategy<Value = (u64, What)> {
    let moved =
        (0..State::ALL.len()).prop_map(|state| What::Moved { to: State::ALL[state], why: String::new() });
    let severity = (0..Severity::ALL.len())
        .prop_map(|number| What::SeveritySet { severity: Severity::ALL[number], why: "looked".to_owned() });
    let title = "[a-z\n]{0,3}".prop_map(|title| What::Renamed { title });
    let what = prop_oneof![
        moved,
        severity,
        title,
        Just(What::Acknowledged),
        Just(What::AcknowledgementExpired),
        Just(What::DeclaredMajor { why: String::new() }),
        (0..3_u32).prop_map(|id| What::TaskDone { id }),
        Just(What::Affected { service: "order-api".to_owned() }),
    ];
    (1..4_u64, what)
}

/// What can arrive or be done, in any order.
#[derive(Debug, Clone)]
enum Move {
    Alert(&'static str, usize),
    Act(u64, What),
    Later,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let alert = (prop_oneof![Just("firing"), Just("resolved")], 0..4_usize);
    let one = prop_oneof![
        alert.prop_map(|(status, service)| Move::Alert(status, service)),
        step().prop_map(|(id, what)| Move::Act(id, what)),
        Just(Move::Later),
    ];
    prop::collection::vec(one, 1..30)
}

async fn play(moves: Vec<Move>) {
    const SERVICES: [&str; 4] = ["order-api", "user-service", "order-worker", "edge"];
    let (store, desk) = open(None).await;
    for one in moves {
        match one {
            Move::Alert(status, service) => {
                desk.alertmanager(&webhook(status, "Burn", SERVICES[service])).await.expect("taken");
            }
            Move::Act(id, what) => {
                // Refused or done; both are right, and neither may leave memory and journal different.
                let _ = desk.act(Id(id), somebody(), what).await;
            }
            Move::Later => {
                desk.resolve_due(Utc::now() + TimeDelta::minutes(1)).await.expect("looked");
            }
        }
    }
    let again =
        Desk::open(&store, &Bus::default(), Graph::default(), 60).await.expect("every event is possible");
    assert_eq!(again.recent(99), desk.recent(99));
    for incident in desk.recent(99) {
        assert_eq!(*desk.get(incident.id).await.expect("it exists"), *incident);
        assert!(
            incident.timeline.is_sorted_by_key(|entry| entry.at),
            "in the order in which things happened"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn memory_is_what_the_journal_adds_up_to(sequence in moves()) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(play(sequence));
    }
}
