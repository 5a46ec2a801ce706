//! A control room of which only notifications run, and waiting with a deadline.

use std::{path::Path, time::Duration};

use chrono::Utc;
use clap::Parser as _;
use control_room::{
    Room, SERVICE, assemble,
    config::RoomConfig,
    desk,
    notify::{self, DeliveryRow, Message, NewDelivery},
};
use incident::{Id, Severity, Source, State, What};

/// Longest wait for anything.
const DEADLINE: Duration = Duration::from_secs(20);

/// Asks until there is an answer.
pub(crate) async fn eventually<T>(what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
    testkit::eventually(DEADLINE, || async { ask().await.ok_or_else(|| what.to_owned()) }).await
}

/// A control room with these flags, on the lab's clock; in memory unless there is a file.
pub(crate) async fn room(file: Option<&Path>, flags: &[&str]) -> Room {
    let room = silent(file, flags).await;
    notify::start(&room);
    room
}

/// The same, which notifies nobody.
pub(crate) async fn silent(file: Option<&Path>, flags: &[&str]) -> Room {
    let mut arguments = vec!["control-room", "--public-url", "http://lab.example"];
    arguments.extend(flags);
    let file = file.map(|path| path.to_str().expect("a path in UTF-8"));
    arguments.extend(file.into_iter().flat_map(|file| ["--file", file]));
    let config = RoomConfig::parse_from(arguments);
    let chassis = config.common().chassis(SERVICE, &[], &[]);
    assemble(&config, chassis).await.expect("a control room")
}

/// As SIGKILL: nothing that runs may end.
pub(crate) async fn kill(room: Room) {
    room.chassis.kill();
    room.chassis.tasks.close();
    room.chassis.tasks.wait().await;
}

pub(crate) fn ada() -> Source {
    Source::Person("ada".to_owned())
}

pub(crate) async fn incident(room: &Room, severity: Severity) -> Id {
    let new = desk::New {
        title: "Orders fail".to_owned(),
        description: String::new(),
        severity,
        services: vec!["order-api".to_owned()],
    };
    room.desk.create(ada(), new).await.expect("an incident").id
}

pub(crate) async fn act(room: &Room, id: Id, what: What) {
    room.desk.act(id, ada(), what).await.expect("it is allowed");
}

pub(crate) async fn go(room: &Room, id: Id, to: State) {
    act(room, id, What::Moved { to, why: String::new() }).await;
}

/// Hands a page for ada over.
pub(crate) async fn page(room: &Room, id: Id, key: &str, channel: &str, address: &str) {
    let message = Message {
        title: format!("SEV-2: Orders fail ({key})"),
        text: "The budget burns.".to_owned(),
        url: format!("http://lab.example/incidents/{id}"),
        incident: Some(id),
        severity: Severity::Sev2,
        state: State::Triage,
        key: key.to_owned(),
    };
    let delivery = NewDelivery {
        key: key.to_owned(),
        incident: Some(id),
        step: Some("0.0.0".to_owned()),
        person: Some("ada".to_owned()),
        channel: channel.to_owned(),
        address: Some(address.to_owned()),
        message,
        at: Utc::now(),
    };
    let mut writing = room.store.begin().await.expect("a transaction");
    notify::queue(&mut writing, &delivery).await.expect("queued");
    writing.commit(&room.bus).await.expect("committed");
}

/// The delivery with this key, once it is in this state.
pub(crate) async fn delivered(room: &Room, id: Id, key: &str, state: &str) -> DeliveryRow {
    eventually(&format!("{key} is {state}"), async || {
        let rows = room.notify.deliveries(id).await.expect("deliveries");
        rows.into_iter().find(|row| row.key == key && row.state == state)
    })
    .await
}

/// Whether the timeline says so.
pub(crate) async fn noted(room: &Room, id: Id, part: &str) {
    eventually(&format!("a note with `{part}`"), async || {
        let incident = room.desk.get(id).await.expect("the incident");
        incident.timeline.iter().any(|entry| entry.text.contains(part)).then_some(())
    })
    .await;
}
