//! What the desk keeps, refuses and remembers. `intake` -- what other systems send.

mod intake;

use chrono::Utc;
use incident::{EntryKind, Role, Source, What};
use serde_json::json;

use super::*;
use crate::{access::SOMEBODY, bus::Kind, store::journal_last};

struct Rig {
    store: Store,
    bus: Bus,
    desk: Desk,
}

async fn rig() -> Rig {
    let (store, bus) = (Store::open(None).await.unwrap(), Bus::default());
    let graph = Graph::new([("load", "order-api"), ("order-api", "user-service")]);
    let desk = Desk::open(&store, &bus, graph, 60).await.unwrap();
    Rig { store, bus, desk }
}

fn somebody() -> Source {
    Source::Person("ada".to_owned())
}

#[tokio::test]
async fn what_is_refused_leaves_no_trace() {
    let Rig { desk, store, bus } = rig().await;
    let new = New {
        title: "It hurts".to_owned(),
        description: String::new(),
        severity: Severity::Sev3,
        services: vec!["order-api".to_owned()],
    };
    desk.create(somebody(), new.clone()).await.unwrap();
    let before = journal_last(&store).await.unwrap();
    let two = vec![What::Acknowledged, What::TaskDone { id: 7 }];
    let refused = desk.act_all(Id(1), somebody(), two).await.unwrap_err();
    assert_eq!(refused.to_string(), "INC-1 has no task 7");
    let mut writing = store.begin().await.unwrap();
    writing.journal(Utc::now(), Kind::Rota, None, false, &json!({})).await.unwrap();
    let close = What::Moved { to: State::Closed, why: String::new() };
    let refused = desk.act_with(writing, Id(1), somebody(), vec![close]).await.unwrap_err();
    assert!(matches!(refused, Error::Refused(_)), "{refused}");
    let long = What::Renamed { title: "x".repeat(201) };
    assert!(matches!(desk.act(Id(1), somebody(), long).await, Err(Error::Field { .. })));
    assert!(matches!(desk.act(Id(9), somebody(), What::Acknowledged).await, Err(Error::NoIncident(Id(9)))));
    assert!(matches!(desk.get(Id(9)).await, Err(Error::NoIncident(Id(9)))));
    for wrong in [
        New { title: "two\nlines".to_owned(), ..new.clone() },
        New { description: "x".repeat(2001), ..new.clone() },
        New { services: vec![" ".to_owned()], ..new },
    ] {
        assert!(matches!(desk.create(somebody(), wrong).await, Err(Error::Field { .. })));
    }
    assert_eq!(journal_last(&store).await.unwrap(), before);
    assert_eq!(desk.get(Id(1)).await.unwrap().acknowledged, None);
    let mut news = bus.listen();
    desk.act(Id(1), somebody(), What::Acknowledged).await.unwrap();
    let told = news.recv().await.unwrap();
    assert_eq!((told.seq, told.incident), (before + 1, Some(Id(1))));
    assert_eq!(told.data["what"]["type"], "acknowledged");
}

#[tokio::test]
async fn who_acknowledges_a_major_incident_commands_it_until_somebody_else_does() {
    let Rig { desk, .. } = rig().await;
    let commander = |incident: &Incident| incident.roles.get(&Role::Commander).cloned();
    for (severity, by, expected) in [
        (Severity::Sev2, "ada", Some("ada".to_owned())),
        (Severity::Sev2, SOMEBODY, None),
        (Severity::Sev3, "ada", None),
    ] {
        let new =
            New { title: "It hurts".to_owned(), description: String::new(), severity, services: Vec::new() };
        let id = desk.create(Source::ControlRoom, new).await.unwrap().id;
        let by = Source::Person(by.to_owned());
        assert_eq!(commander(&desk.act(id, by, What::Acknowledged).await.unwrap()), expected, "{severity}");
    }
    let taken = desk.act(Id(1), Source::Person("ben".to_owned()), What::Acknowledged).await.unwrap();
    assert_eq!(commander(&taken).as_deref(), Some("ada"), "a role changes hands by hand");
    let entries = taken.timeline.iter().filter(|entry| entry.kind == EntryKind::Role);
    let said: Vec<_> = entries.map(|entry| (entry.text.as_str(), entry.source.clone())).collect();
    assert_eq!(said, [("ada is commander", Source::ControlRoom)]);
}

#[tokio::test]
async fn tasks_and_hypotheses_get_numbers_and_lists_are_filtered() {
    let Rig { desk, .. } = rig().await;
    for (severity, service) in [(Severity::Sev4, "a"), (Severity::Sev1, "b"), (Severity::Sev4, "b")] {
        let new = New {
            title: "It hurts".to_owned(),
            description: String::new(),
            severity,
            services: vec![service.to_owned()],
        };
        desk.create(somebody(), new).await.unwrap();
    }
    for expected in 1..3 {
        let with = desk.task(Id(1), somebody(), "look", None, None, false).await.unwrap();
        assert_eq!(with.tasks.last().map(|task| task.id), Some(expected));
        let with = desk.hypothesis(Id(1), somebody(), "the cache").await.unwrap();
        assert_eq!(with.hypotheses.last().map(|one| one.id), Some(expected));
    }
    desk.act(Id(3), somebody(), What::Moved { to: State::Dismissed, why: "a test".to_owned() })
        .await
        .unwrap();
    let open: Vec<_> = desk.open_ones().iter().map(|incident| incident.id).collect();
    assert_eq!(open, [Id(2), Id(1)], "the worst first");
    let b = Some("b".to_owned());
    for (filter, before, expected) in [
        (Filter::default(), None, vec![Id(3), Id(2), Id(1)]),
        (Filter::default(), Some(Id(3)), vec![Id(2), Id(1)]),
        (Filter { open: Some(true), ..Filter::default() }, None, vec![Id(2), Id(1)]),
        (Filter { open: Some(false), ..Filter::default() }, None, vec![Id(3)]),
        (Filter { state: Some(State::Dismissed), ..Filter::default() }, None, vec![Id(3)]),
        (Filter { severity: Some(Severity::Sev4), ..Filter::default() }, None, vec![Id(3), Id(1)]),
        (Filter { service: b.clone(), ..Filter::default() }, None, vec![Id(3), Id(2)]),
        (Filter { service: b, open: Some(true), ..Filter::default() }, None, vec![Id(2)]),
    ] {
        let found = desk.list(&filter, before, 10).await.unwrap();
        assert_eq!(found.iter().map(|one| one.id).collect::<Vec<_>>(), expected, "{filter:?}");
    }
    assert_eq!(desk.list(&Filter::default(), None, 2).await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_ended_long_ago_is_replayed_and_can_still_change() {
    let Rig { desk, store, bus } = rig().await;
    let new = New {
        title: "It hurts".to_owned(),
        description: String::new(),
        severity: Severity::Sev5,
        services: Vec::new(),
    };
    for _ in 0..memory::ENDED + 2 {
        let id = desk.create(somebody(), new.clone()).await.unwrap().id;
        desk.act(id, somebody(), What::Moved { to: State::Dismissed, why: String::new() }).await.unwrap();
    }
    assert!(desk.known(Id(2)).is_none(), "only the newest are in memory");
    assert!(desk.known(Id(3)).is_some());
    let text = "as last time".to_owned();
    let happened_at = Utc::now();
    let note = What::Noted { kind: EntryKind::Note, happened_at, text, evidence: Vec::new(), sealed: false };
    desk.act(Id(1), somebody(), note).await.unwrap();
    let old = desk.get(Id(1)).await.unwrap();
    assert!(old.timeline.iter().any(|entry| entry.text == "as last time"));
    assert!(desk.known(Id(1)).is_none());
    let again = Desk::open(&store, &bus, Graph::default(), 60).await.unwrap();
    assert_eq!(again.recent(usize::MAX), desk.recent(usize::MAX));
}

#[tokio::test]
async fn an_incident_with_an_open_action_item_is_never_forgotten() {
    let Rig { desk, store, bus } = rig().await;
    let new = New {
        title: "It hurts".to_owned(),
        description: String::new(),
        severity: Severity::Sev3,
        services: Vec::new(),
    };
    for _ in 0..memory::ENDED + 2 {
        let id = desk.create(somebody(), new.clone()).await.unwrap().id;
        if id == Id(1) {
            desk.task(id, somebody(), "add an alert", None, None, true).await.unwrap();
        }
        desk.act(id, somebody(), What::Moved { to: State::Resolved, why: String::new() }).await.unwrap();
    }
    assert!(desk.known(Id(1)).is_some() && desk.known(Id(2)).is_none());
    let again = Desk::open(&store, &bus, Graph::default(), 60).await.unwrap();
    assert_eq!(again.recent(usize::MAX), desk.recent(usize::MAX));
    let items = crate::papers::action_items(&again, Utc::now());
    assert_eq!(
        items.iter().map(|(id, task)| (*id, task.text.as_str())).collect::<Vec<_>>(),
        [(Id(1), "add an alert")]
    );
    again.act(Id(1), somebody(), What::TaskDone { id: 1 }).await.unwrap();
    assert!(again.known(Id(1)).is_none(), "it is done");
}
