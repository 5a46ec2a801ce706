//! Where automation would make it worse, its own checks and the guardrails stop it: a leak behind restarts, more
//! replicas on a full database, an alert that comes and goes. With the committed runbooks and guardrails.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::Utc;
use control_room::{
    Room,
    error::Result,
    runbooks::{
        self, World,
        view::{RunState, RunbookRunView},
        world::Order,
    },
};
use futures::future::{BoxFuture, FutureExt as _};
use incident::alerts::alertmanager::Webhook;
use runbook::{Answer, Call, Change, Verb, answer::Sample, guardrails::Replicas};
use serde_json::json;
use switchboard::Outcome;
use testkit::eventually;

use crate::place::{Place, person};

const SOON: Duration = Duration::from_secs(20);

/// What Prometheus says to a query.
type Tells = fn(&str) -> f64;

/// A system that is what its metrics say, whatever is done to it.
struct System {
    tells: Tells,
    acts: Mutex<Vec<Change>>,
}

impl System {
    fn new(tells: Tells) -> Arc<Self> {
        Arc::new(Self { tells, acts: Mutex::default() })
    }

    /// How often something was done.
    fn times(&self, verb: Verb) -> usize {
        self.acts.lock().expect("no panic").iter().filter(|done| done.verb == verb).count()
    }

    /// By how many replicas it has grown.
    fn grown(&self) -> i32 {
        let acts = self.acts.lock().expect("no panic");
        acts.iter().filter_map(|done| done.with.get("by")).map(|by| by.parse::<i32>().expect("a number")).sum()
    }
}

impl World for System {
    fn ask<'w>(&'w self, _: &'w Room, call: &'w Call) -> BoxFuture<'w, Answer> {
        let answer = match call {
            Call::Promql { query } => {
                let sample = Sample { labels: BTreeMap::new(), value: (self.tells)(query) };
                Answer::Samples { samples: vec![sample] }
            }
            Call::Log { .. } => Answer::Lines { count: 0, newest: None },
            // Every process says that it is ready.
            Call::Http { .. } => Answer::Status { code: 200, body: String::new() },
            Call::Sql { .. } => Answer::Rows { columns: Vec::new(), rows: Vec::new() },
        };
        async move { answer }.boxed()
    }

    fn replicas<'w>(
        &'w self,
        _: &'w Room,
        _: &'w str,
        _: Option<&'w str>,
    ) -> BoxFuture<'w, Option<Replicas>> {
        async { Some(Replicas { healthy: 2, target_healthy: true }) }.boxed()
    }

    fn hits<'w>(&'w self, _: &'w Room, change: &'w Change) -> BoxFuture<'w, Result<Vec<String>>> {
        async move { Ok(vec![change.target()]) }.boxed()
    }

    fn mark<'w>(&'w self, _: &'w Room, change: &'w Change) -> BoxFuture<'w, Result<Option<String>>> {
        async move { Ok(Some(self.times(change.verb).to_string())) }.boxed()
    }

    fn act<'w>(&'w self, _: &'w Room, order: &'w Order<'w>) -> BoxFuture<'w, Result<Vec<Outcome>>> {
        async move {
            self.acts.lock().expect("no panic").push(order.change.clone());
            Ok(vec![Outcome { replica: order.change.target(), ok: true, text: "done".to_owned() }])
        }
        .boxed()
    }
}

/// A control room with automation, and its alert.
struct Scene {
    room: Room,
    alert: &'static str,
    service: &'static str,
    _place: Place,
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.room.chassis.shutdown.cancel();
    }
}

impl Scene {
    async fn new(system: &Arc<System>, alert: &'static str, service: &'static str) -> Self {
        let place = Place::committed(&[alert]);
        let room = place.with(system.clone()).await;
        runbooks::start(&room);
        room.runbooks.switch(&room, &person("ada"), true, "it is a test").await.expect("it is on");
        Self { room, alert, service, _place: place }
    }

    /// The alert fires for the `number`th time, as one that had ended before.
    async fn fires(&self, number: usize) {
        let message = json!({ "version": "4", "status": "firing", "alerts": [{
            "status": "firing", "fingerprint": format!("{number:016x}"), "startsAt": Utc::now(),
            "endsAt": "0001-01-01T00:00:00Z",
            "labels": {
                "alertname": self.alert, "service": self.service, "severity": "ticket",
                "instance": "127.0.0.1:9103",
            },
            "annotations": { "summary": "it is bad" },
        }] });
        let message: Webhook = serde_json::from_value(message).expect("a message");
        self.room.desk.alertmanager(&message).await.expect("it is taken");
    }

    /// The runs, the oldest first, once there are `count` of them and none continues by itself.
    async fn runs(&self, count: usize) -> Vec<RunbookRunView> {
        eventually(SOON, || async {
            let mut runs = self.room.runbooks.runs(50).await.map_err(|error| error.to_string())?;
            runs.reverse();
            let moves = runs.iter().any(|run| run.state == RunState::Running);
            if runs.len() == count && !moves { Ok(runs) } else { Err(format!("{runs:?}")) }
        })
        .await
    }
}

fn endings(runs: &[RunbookRunView]) -> Vec<&str> {
    runs.iter().map(|run| run.ending.as_deref().unwrap_or("none")).collect()
}

/// Memory is short before a restart; whether the proof afterwards holds.
fn leaks(query: &str, proof: f64) -> f64 {
    // The proof looks at all replicas, the checks before it at one.
    if query.contains("process_memory_usage_percent") && !query.contains("instance=") { proof } else { 90.0 }
}

fn leaks_at_once(query: &str) -> f64 {
    if query.contains("up{") { 1.0 } else { leaks(query, 95.0) }
}

fn leaks_slowly(query: &str) -> f64 {
    if query.contains("up{") { 1.0 } else { leaks(query, 20.0) }
}

#[tokio::test]
async fn a_leak_that_fills_the_new_process_at_once_opens_the_breaker() {
    let system = System::new(leaks_at_once);
    let scene = Scene::new(&system, "HighMemoryUsage", "order-worker").await;
    for number in 1..=2 {
        scene.fires(number).await;
        let runs = scene.runs(number).await;
        assert_eq!(endings(&runs), vec!["failed"; number], "{runs:?}");
    }
    let view = scene.room.runbooks.automation();
    assert!(!view.on && view.breaker.is_some(), "{view:?}");
    scene.fires(3).await;
    scene.runs(2).await;
    assert_eq!(system.times(Verb::Restart), 2, "and then it is a person's");
    assert_eq!(system.times(Verb::Silence), system.times(Verb::ExpireSilence), "nothing stays muted");
    eventually(SOON, || async {
        let open = scene.room.desk.open_ones();
        let told = open.iter().any(|one| one.title.contains("switched itself off"));
        if told { Ok(()) } else { Err(format!("{open:?}")) }
    })
    .await;
}

#[tokio::test]
async fn a_leak_that_restarts_hide_is_shown_to_a_person_at_the_limit() {
    let system = System::new(leaks_slowly);
    let scene = Scene::new(&system, "HighMemoryUsage", "order-worker").await;
    let expected = ["succeeded", "succeeded", "recommended"];
    for number in 1..=3 {
        scene.fires(number).await;
        let runs = scene.runs(number).await;
        assert_eq!(endings(&runs), expected[..number], "{runs:?}");
    }
    assert_eq!(system.times(Verb::Restart), 2);
    let runs = scene.runs(3).await;
    assert!(runs[2].why.as_deref().is_some_and(|why| why.contains("the limit is 2")), "{:?}", runs[2]);
}

/// More requests, and a CPU that is used up; `pool` of the connections to the database are taken.
fn busy(query: &str, pool: f64) -> f64 {
    if query.contains("database_connections") {
        pool
    } else if query.contains("http_requests_total") {
        2.0
    } else {
        95.0
    }
}

fn busy_on_a_full_database(query: &str) -> f64 {
    busy(query, 1.0)
}

fn busy_with_room(query: &str) -> f64 {
    busy(query, 0.2)
}

#[tokio::test]
async fn no_replica_is_added_onto_a_full_database() {
    let system = System::new(busy_on_a_full_database);
    let scene = Scene::new(&system, "HighCPUUsage", "order-api").await;
    scene.fires(1).await;
    let runs = scene.runs(1).await;
    assert_eq!(endings(&runs), ["stopped"]);
    assert!(runs[0].why.as_deref().is_some_and(|why| why.contains("database-has-room")), "{runs:?}");
    assert_eq!(system.times(Verb::Scale), 0);
}

#[tokio::test]
async fn even_with_room_a_person_decides_about_more_replicas_and_what_did_not_help_is_undone() {
    let system = System::new(busy_with_room);
    let scene = Scene::new(&system, "HighCPUUsage", "order-api").await;
    scene.fires(1).await;
    let runs = scene.runs(1).await;
    assert_eq!(runs[0].state, RunState::WaitingForApproval, "{runs:?}");
    assert_eq!(system.times(Verb::Scale), 0);
    let digest = runs[0].request.as_ref().expect("a request").digest.clone();
    let approved = scene.room.runbooks.approve(&scene.room, &person("ben"), &runs[0].id, &digest).await;
    approved.expect("it is approved");
    // The CPU stays as busy as it was.
    let runs = scene.runs(1).await;
    assert_eq!(endings(&runs), ["failed"]);
    assert_eq!((system.times(Verb::Scale), system.grown()), (2, 0), "the system is as before: {runs:?}");
}

fn silent(query: &str) -> f64 {
    if query.contains("changes(") || query.contains("up{") { 0.0 } else { 1.0 }
}

fn crashing(query: &str) -> f64 {
    if query.contains("changes(") { 3.0 } else { 0.0 }
}

#[tokio::test]
async fn an_alert_that_comes_and_goes_restarts_nothing() {
    for (tells, why) in [(silent as Tells, "not-ready"), (crashing as Tells, "does-not-come-and-go")] {
        let system = System::new(tells);
        let scene = Scene::new(&system, "TargetDown", "order-worker").await;
        for number in 1..=5 {
            scene.fires(number).await;
            let runs = scene.runs(number).await;
            assert_eq!(endings(&runs), vec!["stopped"; number], "{runs:?}");
            let said = runs[number - 1].why.as_deref();
            assert!(said.is_some_and(|said| said.contains(why)), "{said:?}");
        }
        assert_eq!(system.times(Verb::Restart), 0);
        assert!(scene.room.runbooks.automation().on, "to stop before an act is no failure");
    }
}
