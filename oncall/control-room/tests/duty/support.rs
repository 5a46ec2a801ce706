//! A control room in a folder, without anything that runs in it, and what its tables say.

use std::{
    future::Future,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use clap::Parser as _;
use control_room::{Room, SERVICE, assemble, config::RoomConfig, desk::New, store::Store};
use incident::{EntryKind, Id, Incident, Severity, Source, What};
use tempfile::TempDir;
use testkit::eventually;

/// On the lab's clock: levels after 0, 15 and 30 seconds, again after 60, and an acknowledgement holds for 30.
pub(crate) const ROTA: &str = "people:
  - {name: ada, zone: Europe/Berlin, contacts: [{kind: desktop}, {kind: bell}]}
  - {name: ben, zone: Europe/Berlin, contacts: [{kind: desktop}]}
  - {name: fay, zone: Europe/Berlin}
webhooks:
  - {name: status-page, url: \"http://127.0.0.1:9/hook\"}
schedules:
  - name: first-line
    zone: UTC
    fallback: ada
policies:
  - name: major
    severities: [SEV-1, SEV-2]
    repeat: 1
    ack_expires: 30m
    steps:
      - notify_schedule: first-line
      - wait: 15m
      - notify_person: ben
      - webhook: status-page
      - wait: 15m
      - notify_person: fay
      - wait: 30m
";

/// A folder with the file of a control room and its `oncall.yaml`.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new(rota: &str) -> Self {
        let place = Self(TempDir::new().expect("a folder"));
        std::fs::write(place.path("oncall.yaml"), rota).expect("a folder");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A control room that starts, with nothing running yet.
    pub(crate) async fn room(&self) -> Room {
        self.room_with(&[]).await
    }

    /// The same, with more flags.
    pub(crate) async fn room_with(&self, flags: &[&str]) -> Room {
        // What a killed process still has in its hands is finished or undone before the next one starts.
        let file = self.path("room.sqlite");
        let before = Store::open(Some(&file)).await.expect("a file");
        drop(before.begin().await.expect("its turn"));
        drop(before);
        start(Some(&file), Some(&self.path("oncall.yaml")), flags).await
    }
}

pub(crate) async fn room(file: Option<&Path>, oncall: Option<&Path>) -> Room {
    start(file, oncall, &[]).await
}

async fn start(file: Option<&Path>, oncall: Option<&Path>, flags: &[&str]) -> Room {
    let mut arguments = vec!["control-room".to_owned()];
    for (flag, path) in [("--file", file), ("--oncall", oncall)] {
        arguments.extend(path.iter().flat_map(|path| [flag.to_owned(), path.display().to_string()]));
    }
    arguments.extend(flags.iter().map(|&flag| flag.to_owned()));
    let config = RoomConfig::try_parse_from(arguments).expect("flags");
    let chassis = config.common().chassis(SERVICE, &[], &[]);
    assemble(&config, chassis).await.expect("a control room")
}

pub(crate) fn ada() -> Source {
    Source::Person("ada".to_owned())
}

pub(crate) async fn open(room: &Room, severity: Severity) -> Arc<Incident> {
    let new = New {
        title: "Orders fail".to_owned(),
        description: String::new(),
        severity,
        services: vec!["order-api".to_owned()],
    };
    room.desk.create(Source::ControlRoom, new).await.expect("an incident")
}

pub(crate) async fn column(room: &Room, statement: &'static str) -> Vec<String> {
    sqlx::query_scalar(statement).fetch_all(room.store.read()).await.expect("rows")
}

pub(crate) async fn steps(room: &Room) -> Vec<String> {
    column(room, "SELECT step FROM steps ORDER BY step").await
}

pub(crate) async fn deliveries(room: &Room) -> Vec<String> {
    column(room, "SELECT key FROM deliveries ORDER BY key").await
}

/// Step and person of each page, as the phone got them.
pub(crate) async fn phone(room: &Room) -> Vec<String> {
    let pages = room.phone.after(0, 1000).await.expect("pages");
    let text = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
    let mut pages: Vec<String> =
        pages.into_iter().map(|page| format!("{} {}", text(page.step), text(page.person))).collect();
    pages.sort();
    pages
}

/// The same, as the journal says.
pub(crate) async fn paged(room: &Room, id: Id) -> Vec<String> {
    let events = room.desk.events(id).await.expect("events").into_iter();
    let pages = events.filter_map(|event| match event.what {
        What::Paged { person, step, .. } => {
            Some(format!("{} {person}", step.unwrap_or_else(|| "none".to_owned())))
        }
        _ => None,
    });
    let mut pages: Vec<String> = pages.collect();
    pages.sort();
    pages
}

/// Texts of the timeline of a kind.
pub(crate) async fn told(room: &Room, id: Id, kind: EntryKind) -> Vec<String> {
    let incident = room.desk.get(id).await.expect("an incident");
    let entries = incident.timeline.iter().filter(|entry| entry.kind == kind);
    entries.map(|entry| entry.text.clone()).collect()
}

pub(crate) fn after(incident: &Incident, seconds: i64) -> DateTime<Utc> {
    incident.opened_at + TimeDelta::seconds(seconds)
}

/// Waits until it holds; fails after ten seconds.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let deadline = Duration::from_secs(10);
    eventually(deadline, || async { if holds().await { Ok(()) } else { Err(what.to_owned()) } }).await;
}
