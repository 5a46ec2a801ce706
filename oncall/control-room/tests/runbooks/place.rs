//! A control room in a folder, with its own runbooks and guardrails, that can be left and entered again.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use clap::Parser as _;
use control_room::{
    Room, SERVICE,
    access::Visitor,
    assemble,
    config::RoomConfig,
    desk::New,
    runbooks::{World, view::RunbookRunView},
    store::Store,
};
use incident::{Id, Severity, Source, Viewer};
use runbook::Mode;
use tempfile::TempDir;

use crate::lab::Lab;

/// A step of each kind.
const EVERY: &str = r#"
alert: Every
title: Try every kind of step
services: ["${service}"]
parameters:
  service: {what: service, type: choice, of: [order-api, order-worker, user-service], from: service}
  instance: {what: replica, type: word, from: instance, default: all}
preconditions:
  - name: it-waits
    what: Something waits.
    promql: waiting{job="${service}", instance="${instance}"}
    is: "== 1"
steps:
  - name: look
    what: See the log.
    check: {log: {service: "${service}", level: warn, text: slow, within: 1m}, is: "> 0", otherwise: continue}
  - name: ready
    what: It answers.
    http: {service: "${service}", path: /readyz, status: "200"}
  - name: sessions
    what: See who is there.
    sql: {query: sessions-of, database: orders, with: {application: psql, older_than: 2m}}
  - name: mute
    what: Others need not know.
    act:
      verb: silence
      with: {alert: TargetDown, service: "${service}", ttl: 10m}
      blast_radius: 1 alert
      idempotency_key: ${run}/mute
      undo: {verb: expire-silence, with: {alert: TargetDown, service: "${service}"}}
  - name: restart
    what: Start it again.
    act:
      verb: restart
      with: {service: "${service}"}
      blast_radius: 1 replica
      idempotency_key: ${run}/restart
      undo: {nothing: the new process is like the old one}
  - name: back
    what: It answers.
    wait_until: {promql: 'up{job="${service}"}', is: "== 1", within: 30s}
  - name: good
    what: It helped.
    verify: {promql: 'helped{job="${service}"}', is: "== 1", within: WITHIN}
  - name: unmute
    what: Others need to know again.
    undo: mute
"#;

/// For a storm: looks, restarts, proves.
const STUCK: &str = r#"
alert: Stuck
title: Start a stuck process again
services: ["${service}"]
parameters:
  service: {what: service, type: choice, of: [order-api, order-worker, user-service], from: service}
  instance: {what: replica, type: word, from: instance}
steps:
  - name: stuck
    what: It does not move.
    check: {promql: 'stuck{job="${service}", instance="${instance}"}', is: "== 1"}
  - name: restart
    what: Start it again.
    act:
      verb: restart
      with: {service: "${service}", instance: "${instance}"}
      blast_radius: 1 replica
      idempotency_key: ${run}/restart
      undo: {nothing: the new process is like the old one}
  - name: good
    what: It helped.
    verify: {promql: 'helped{job="${service}"}', is: "== 1", within: WITHIN}
"#;

const GUARDRAILS: &str = r"
rules:
  - name: restart
    why: it is a test
    then: auto
    verbs: [restart]
    targets: [order-api, order-worker, user-service]
  - {name: mute, why: it is a test, then: auto, verbs: [silence, expire-silence], targets: [alertmanager]}
limits:
  per_target: {most: 2, within: 1h}
  global: {most: 6, within: 1h}
minimum_healthy: {order-api: 1, user-service: 1, order-worker: 0}
breaker: {failed_verifies: 2, within: 6h}
";

pub(crate) struct Place {
    folder: PathBuf,
    /// Removes it at the end; not if another process made it.
    _kept: Option<TempDir>,
}

/// The lines of a committed file, without those that `drop` names by their first words.
fn committed(name: &str, drop: &[&str]) -> String {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let dropped = |line: &str| drop.iter().any(|words| line.trim_start().starts_with(words));
    let lines = text.lines().filter(|line| !dropped(line));
    let short = lines.map(|line| match line.split_once("within: ") {
        Some((before, _)) if before.trim().is_empty() => format!("{before}within: 1s\n"),
        _ => format!("{line}\n"),
    });
    short.collect()
}

impl Place {
    /// With committed runbooks and the committed guardrails. Nothing has to hold for a time, and no wait takes longer
    /// than a second: what is tested is who may act. At night, automation would ask first.
    pub(crate) fn committed(names: &[&str]) -> Self {
        let place = Self::empty();
        for name in names {
            let name = format!("runbooks/{name}.yaml");
            fs::write(place.path(&name), committed(&name, &["for: "])).expect("a file");
        }
        let guardrails = committed("guardrails.yaml", &["quiet_hours: "]);
        fs::write(place.path("guardrails.yaml"), guardrails).expect("a file");
        place
    }

    /// One that another process made.
    pub(crate) fn at(folder: PathBuf) -> Self {
        Self { folder, _kept: None }
    }

    fn empty() -> Self {
        let kept = TempDir::new().expect("a folder");
        let place = Self { folder: kept.path().to_owned(), _kept: Some(kept) };
        for path in ["dashboards/grafana", "dashboards/slos", "docs/playbooks", "drills", "runbooks"] {
            fs::create_dir_all(place.path(path)).expect("a folder");
        }
        place
    }

    /// `within`: how long a run waits for the proof that it helped.
    pub(crate) fn new(within: &str) -> Self {
        let place = Self::empty();
        for (name, text) in [("Every", EVERY), ("Stuck", STUCK)] {
            let path = place.path(&format!("runbooks/{name}.yaml"));
            fs::write(path, text.replace("WITHIN", within)).expect("a file");
        }
        fs::write(place.path("guardrails.yaml"), GUARDRAILS).expect("a file");
        place
    }

    /// With one runbook of this text.
    pub(crate) fn of(name: &str, text: &str) -> Self {
        let place = Self::empty();
        fs::write(place.path(&format!("runbooks/{name}.yaml")), text).expect("a file");
        fs::write(place.path("guardrails.yaml"), GUARDRAILS).expect("a file");
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A control room that starts, with nothing running yet.
    pub(crate) async fn room(&self, lab: &Arc<Lab>) -> Room {
        self.set(lab, &[]).await
    }

    /// The same with other settings.
    pub(crate) async fn set(&self, lab: &Arc<Lab>, flags: &[&str]) -> Room {
        // What a killed process still has in its hands is finished or undone before the next one starts.
        let file = self.path("room.sqlite");
        let before = Store::open(Some(&file)).await.expect("a file");
        drop(before.begin().await.expect("its turn"));
        drop(before);
        let file = file.display().to_string();
        self.assembled(lab.clone(), &[flags, &["--file", &file]].concat()).await
    }

    /// The same, and everything is lost at its end.
    pub(crate) async fn in_memory(&self, lab: &Arc<Lab>) -> Room {
        self.with(lab.clone()).await
    }

    /// The same, on any system.
    pub(crate) async fn with(&self, world: Arc<dyn World>) -> Room {
        self.assembled(world, &[]).await
    }

    async fn assembled(&self, world: Arc<dyn World>, extra: &[&str]) -> Room {
        let checkout = self.folder.display().to_string();
        let flags = ["control-room", "--clock", "production", "--checkout", &checkout];
        let config = RoomConfig::try_parse_from([&flags[..], extra].concat()).expect("flags");
        let chassis = config.common().chassis(SERVICE, &[], &[]);
        let room = assemble(&config, chassis).await.expect("a control room");
        room.runbooks.stand_in(world);
        room
    }
}

pub(crate) fn person(name: &str) -> Visitor {
    Visitor { name: name.to_owned(), role: Viewer::Trainee }
}

pub(crate) async fn open(room: &Room, service: &str) -> Id {
    let services = vec![service.to_owned()];
    let new = New {
        title: format!("{service} fails"),
        description: String::new(),
        severity: Severity::Sev2,
        services,
    };
    room.desk.create(Source::ControlRoom, new).await.expect("an incident").id
}

/// Begins the runbook as ada.
pub(crate) async fn begin(room: &Room, mode: Mode, incident: Option<Id>) -> RunbookRunView {
    let parameters = BTreeMap::from([("service".to_owned(), "order-worker".to_owned())]);
    room.runbooks.begin(room, &person("ada"), "Every", mode, incident, parameters).await.expect("a run")
}
