//! What the control room sees and writes down, with systems around it that say what a test wants.

mod fake;
mod first_look;
mod golden;
mod objectives;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use control_room::{
    Room, SERVICE, assemble,
    bus::{Kind, Notice},
    config::RoomConfig,
    desk::New,
    watch::{self, Reach},
};
use fake::{Fake, samples, series};
use incident::{EntryKind, Id, Incident, Severity, Source, State, Viewer, What};
use serde_json::{Value, json};
use testkit::eventually;

/// Longest wait for what the next look shows.
const SOON: Duration = Duration::from_secs(20);

fn config(fake: &Fake, extra: &[&str]) -> RoomConfig {
    let url = fake.url.as_str();
    let instances = format!("order-api={url},user-service={url}/gone");
    let sources = ["--prometheus-url", url, "--alertmanager-url", url, "--traces-url", url];
    let own =
        ["--instances", &instances, "--calls", "load>order-api,order-api>user-service,order-api>postgres"];
    let arguments = [&["control-room"][..], &sources[..], &own[..], extra].concat();
    <RoomConfig as clap::Parser>::try_parse_from(arguments).expect("valid flags")
}

/// A control room that watches, and stops when it is dropped.
struct Watching(Room);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.chassis.shutdown.cancel();
    }
}

async fn watching(fake: &Fake, extra: &[&str]) -> Watching {
    let config = config(fake, extra);
    let chassis = config.common().chassis(SERVICE, &[], &[]);
    let room = assemble(&config, chassis).await.expect("a control room");
    watch::start(&room);
    Watching(room)
}

impl Watching {
    async fn open(&self, service: &str) -> Id {
        let services = vec![service.to_owned()];
        let new = New {
            title: "Orders fail".to_owned(),
            description: String::new(),
            severity: Severity::Sev3,
            services,
        };
        self.0.desk.create(Source::Person("ada".to_owned()), new).await.expect("it opens").id
    }

    async fn incident(&self, id: Id) -> std::sync::Arc<Incident> {
        self.0.desk.get(id).await.expect("it exists")
    }

    /// Waits for an entry of this kind in the timeline.
    async fn noted(&self, id: Id, kind: EntryKind, viewer: Viewer) -> incident::Entry {
        eventually(SOON, || async {
            let incident = self.incident(id).await;
            let entry = incident.timeline_for(viewer).into_iter().find(|entry| entry.kind == kind).cloned();
            entry.ok_or_else(|| format!("no {kind} in {:?}", incident.timeline))
        })
        .await
    }
}

/// A look of a healthy shop, and of one whose orders fail.
fn look(error: f64, started: f64) -> Value {
    samples(&[
        (json!({ "what": "rate", "service": "order-api" }), 20.0),
        (json!({ "what": "bad", "service": "order-api" }), 20.0 * error),
        (json!({ "what": "rate", "service": "postgres" }), 40.0),
        (json!({ "what": "restarts", "service": "order-api", "instance": "elsewhere:1" }), 2.0),
        (json!({ "what": "started", "service": "order-api", "instance": "elsewhere:1" }), started),
        (json!({ "what": "remaining", "slo": "order-availability" }), 0.75),
        (json!({ "what": "burn", "slo": "order-availability" }), error / 0.001),
        (json!({ "what": "sli", "slo": "order-availability" }), error),
    ])
}

fn seconds(time: DateTime<Utc>) -> f64 {
    time.timestamp_millis() as f64 / 1000.0
}

#[tokio::test]
async fn the_picture_has_numbers_readiness_and_budgets_and_says_what_does_not_answer() {
    let fake = Fake::start().await;
    fake.set("query:kafka_consumer_lag", look(0.25, 1.0));
    let room = watching(&fake, &[]).await;
    let seen = eventually(SOON, || async {
        let seen = room.0.watch.seen();
        let asked =
            seen.services.iter().flat_map(|service| &service.instances).all(|one| one.ready.is_some());
        if seen.at.is_some() && asked { Ok(seen) } else { Err(format!("{seen:?}")) }
    })
    .await;
    let names: Vec<&str> = seen.services.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(names, ["load", "order-api", "user-service", "postgres"], "in the order of a request");
    let order_api = seen.service("order-api").expect("it is there");
    assert_eq!((order_api.rate, order_api.errors, order_api.p95), (Some(20.0), Some(0.25), None));
    let one = &order_api.instances[0];
    assert_eq!((one.ready, one.up, one.restarts), (Some(true), true, 2.0));
    let other = &seen.service("user-service").expect("it is there").instances[0];
    assert_eq!((other.ready, other.up), (Some(false), true), "{other:?}");
    assert_eq!(seen.service("postgres").expect("it is there").errors, Some(0.0), "no series of failures");
    let budget = seen.budgets.iter().find(|budget| budget.slo == "order-availability").expect("it is there");
    assert_eq!((budget.remaining, budget.objective), (Some(0.75), 0.999));
    assert_eq!((&seen.prometheus, &seen.alertmanager), (&Reach::Up, &Reach::Up));

    fake.fail("query:kafka_consumer_lag");
    eventually(SOON, || async {
        let seen = room.0.watch.seen();
        let gone = matches!(&seen.prometheus, Reach::Down(why) if why.contains("broken on purpose"));
        let empty = seen.service("order-api").is_some_and(|service| service.rate.is_none());
        if gone && empty { Ok(()) } else { Err(format!("{seen:?}")) }
    })
    .await;
}

#[tokio::test]
async fn the_truth_is_sealed_in_the_incident_that_it_explains_and_nowhere_else() {
    let fake = Fake::start().await;
    let since = Utc::now() - TimeDelta::seconds(5);
    let plan = json!({ "rate": 1.0, "since": since.to_rfc3339(), "expires_at": null, "seconds_left": null, "baseline": false });
    let designed = json!({ "rate": 0.2, "expires_at": null, "seconds_left": null, "baseline": true });
    fake.set(
        "/faults",
        json!({ "faults": [
        { "name": "risky", "summary": "", "active": designed },
        { "name": "http-error", "summary": "", "active": plan },
        { "name": "http-latency", "summary": "", "active": null },
    ] }),
    );
    let room = watching(&fake, &[]).await;
    let mut news = room.0.bus.listen();
    let id = room.open("user-service").await;
    let entry = room.noted(id, EntryKind::Truth, Viewer::Instructor).await;
    assert!(entry.text.contains("http-error on order-api") && entry.sealed, "{entry:?}");
    assert_eq!(entry.at.timestamp_millis(), since.timestamp_millis());
    assert_eq!(room.0.watch.seen().faults.len(), 1, "what fails by design is no fault that somebody set");

    // Once, however often it is seen.
    let looks = fake.asked("/faults");
    eventually(SOON, || async {
        if fake.asked("/faults") > looks + 2 { Ok(()) } else { Err("no look".to_owned()) }
    })
    .await;
    let incident = room.incident(id).await;
    let truths =
        incident.timeline_for(Viewer::Instructor).into_iter().filter(|entry| entry.kind == EntryKind::Truth);
    assert_eq!(truths.count(), 1);
    let seen = serde_json::to_string(&*room.0.watch.seen()).expect("JSON");
    let public = serde_json::to_string(&*incident).expect("JSON") + &seen;
    assert!(!public.contains("http-error"), "{public}");
    while let Ok(notice) = news.try_recv() {
        assert!(notice.sealed || !notice.data.to_string().contains("http-error"), "{notice:?}");
    }
}

#[tokio::test]
async fn a_restart_is_a_change_and_an_entry_in_the_incident_of_its_service() {
    let fake = Fake::start().await;
    fake.set("query:kafka_consumer_lag", look(0.0, seconds(Utc::now()) - 100.0));
    let room = watching(&fake, &[]).await;
    let id = room.open("order-api").await;
    eventually(SOON, || async {
        if room.0.watch.seen().at.is_some() { Ok(()) } else { Err("no look".to_owned()) }
    })
    .await;
    let again = Utc::now();
    fake.set("query:kafka_consumer_lag", look(0.0, seconds(again)));
    let entry = room.noted(id, EntryKind::Restart, Viewer::Trainee).await;
    assert!(entry.text.contains("order-api (elsewhere:1) started again"), "{entry:?}");
    assert_eq!(entry.at.timestamp_millis(), again.timestamp_millis());
    let changes = room.0.changes.since(again - TimeDelta::seconds(1));
    assert_eq!((changes.len(), changes[0].kind.as_str()), (1, "restart"));
}

#[tokio::test]
async fn an_incident_gets_its_symptom_recovery_cost_and_a_draft_when_it_resolves() {
    let fake = Fake::start().await;
    let now = Utc::now().timestamp() as f64;
    fake.set("query:kafka_consumer_lag", look(0.5, 1.0));
    let bad: Vec<(f64, f64)> =
        (0..60).map(|at| (now - 59.0 + f64::from(at), if at < 40 { 0.0 } else { 0.5 })).collect();
    fake.set("range:slo:sli_error", series(&json!({ "slo": "order-availability" }), &bad));
    fake.set(
        "query:revenue_dollars_total",
        samples(&[
            (json!({ "what": "refused" }), 40.0),
            (json!({ "what": "bad" }), 40.0),
            (json!({ "what": "dollars" }), 3000.0),
            (json!({ "what": "payments" }), 100.0),
            (json!({ "what": "users" }), 500.0),
        ]),
    );
    let room = watching(&fake, &[]).await;
    let id = room.open("order-api").await;
    let symptom = room.noted(id, EntryKind::Symptom, Viewer::Trainee).await;
    assert_eq!(symptom.at.timestamp(), now as i64 - 19, "{symptom:?}");
    assert!(symptom.evidence[0].query.contains("slo:sli_error:ratio_rate5s"), "{symptom:?}");

    fake.set("query:kafka_consumer_lag", look(0.0, 1.0));
    let recovery = room.noted(id, EntryKind::Recovery, Viewer::Trainee).await;
    assert_eq!(recovery.text, "order-availability is good again");
    let resolved = What::Moved { to: State::Resolved, why: "it is over".to_owned() };
    room.0.desk.act(id, Source::Person("ada".to_owned()), resolved).await.expect("it resolves");
    let paper = eventually(SOON, || async {
        room.0
            .papers
            .latest(id)
            .await
            .map_err(|error| error.to_string())?
            .ok_or_else(|| "no draft".to_owned())
    })
    .await;
    for part in ["40 orders were refused, lost or late.", "They were worth $1200.00.", "50 % at worst"] {
        assert!(paper.text.contains(part), "{part}: {}", paper.text);
    }
    let cost = room.noted(id, EntryKind::Impact, Viewer::Trainee).await;
    assert!(
        cost.text.contains("At $30.00 each") && cost.evidence[0].answer.contains("refused 40"),
        "{cost:?}"
    );
    eventually(SOON, || async {
        let scrape = String::from_utf8(room.0.chassis.metrics.render(None).1).expect("text");
        if scrape.contains("control_room_incident_recover_seconds_count 1") { Ok(()) } else { Err(scrape) }
    })
    .await;
}

#[tokio::test]
async fn a_first_look_ends_within_five_seconds_even_if_nobody_answers() {
    let fake = Fake::start().await;
    let room = watching(&fake, &[]).await;
    fake.hang();
    let began = tokio::time::Instant::now();
    let id = room.open("order-api").await;
    let entries = watch::diagnose(&room.0, id).await.expect("it ends");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(entries, 7);
    let incident = room.incident(id).await;
    let said = |part: &str| {
        incident.timeline.iter().any(|entry| entry.kind == EntryKind::Diagnosis && entry.text.contains(part))
    };
    assert!(said("failing routes: not known, because Prometheus did not answer"), "{:?}", incident.timeline);
    let known = |entry: &&incident::Entry| entry.text.starts_with("nothing is known to have changed");
    let changes = incident.timeline.iter().find(known).expect("what this program knows itself is there");
    let link = changes.evidence[0].link.as_deref().unwrap_or_default();
    assert!(link.contains("/api/v1/changes?since="), "{changes:?}");
}

#[tokio::test]
async fn a_silent_monitoring_is_an_incident_that_the_next_heartbeat_resolves() {
    let fake = Fake::start().await;
    let room = watching(&fake, &[]).await;
    let silent = |state: State| {
        let room = &room;
        async move {
            let recent = room.0.desk.recent(10);
            let found =
                recent.iter().find(|one| one.title == "Monitoring is silent" && one.state == state).cloned();
            found.ok_or_else(|| format!("{recent:?}"))
        }
    };
    // The patience on the lab's clock is half a minute of real time.
    let incident = eventually(Duration::from_secs(45), || silent(State::Triage)).await;
    assert_eq!(incident.severity, Severity::Sev1);
    assert!(room.0.watch.seen().watchdog_silent);
    let beat = json!({ "watchdog": true });
    room.0.bus.tell(Notice {
        seq: 0,
        at: Utc::now(),
        kind: Kind::Watch,
        incident: None,
        sealed: false,
        data: beat,
    });
    eventually(SOON, || silent(State::Resolved)).await;
    assert!(!room.0.watch.seen().watchdog_silent);
}
