//! A stand-in for the system, and a control room with automation, the committed runbooks and the committed guardrails.

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

/// Longest wait for what happens in the background.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// What Prometheus says to a query, before and after an act.
pub(crate) type Tells = fn(&str, bool) -> f64;

/// A system that is what its metrics say.
pub(crate) struct System {
    tells: Tells,
    /// The status of its admin ports, before an act.
    ready: u16,
    acts: Mutex<Vec<Change>>,
}

impl System {
    /// Every process says that it is ready.
    pub(crate) fn new(tells: Tells) -> Arc<Self> {
        Arc::new(Self { tells, ready: 200, acts: Mutex::default() })
    }

    /// A process says that it is not ready, until something is done.
    pub(crate) fn hung(tells: Tells) -> Arc<Self> {
        Arc::new(Self { tells, ready: 503, acts: Mutex::default() })
    }

    /// Whether something was done that may help.
    fn acted(&self) -> bool {
        let acts = self.acts.lock().expect("no panic");
        acts.iter().any(|done| !matches!(done.verb, Verb::Silence | Verb::ExpireSilence))
    }

    /// How often something was done.
    pub(crate) fn times(&self, verb: Verb) -> usize {
        self.acts.lock().expect("no panic").iter().filter(|done| done.verb == verb).count()
    }

    /// What was done, in order.
    pub(crate) fn order(&self) -> Vec<Verb> {
        self.acts.lock().expect("no panic").iter().map(|done| done.verb).collect()
    }

    /// By how many replicas it has grown.
    pub(crate) fn grown(&self) -> i32 {
        let acts = self.acts.lock().expect("no panic");
        acts.iter()
            .filter_map(|done| done.with.get("by"))
            .map(|by| by.parse::<i32>().expect("a number"))
            .sum()
    }
}

impl World for System {
    fn ask<'w>(&'w self, _: &'w Room, call: &'w Call) -> BoxFuture<'w, Answer> {
        let answer = match call {
            Call::Promql { query } => {
                let sample = Sample { labels: BTreeMap::new(), value: (self.tells)(query, self.acted()) };
                Answer::Samples { samples: vec![sample] }
            }
            Call::Log { .. } => Answer::Lines { count: 0, newest: None },
            Call::Http { .. } => {
                let code = if self.acted() { 200 } else { self.ready };
                Answer::Status { code, body: String::new() }
            }
            Call::Sql { .. } => Answer::Rows { columns: Vec::new(), rows: vec![vec!["1".to_owned()]] },
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
pub(crate) struct Scene {
    pub(crate) room: Room,
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
    pub(crate) async fn new(system: &Arc<System>, alert: &'static str, service: &'static str) -> Self {
        let place = Place::committed(&[alert]);
        let room = place.with(system.clone()).await;
        runbooks::start(&room);
        room.runbooks.switch(&room, &person("ada"), true, "it is a test").await.expect("it is on");
        Self { room, alert, service, _place: place }
    }

    /// The alert fires for the `number`th time, as one that had ended before.
    pub(crate) async fn fires(&self, number: usize) {
        let message = json!({ "version": "4", "status": "firing", "alerts": [{
            "status": "firing", "fingerprint": format!("{number:016x}"), "startsAt": Utc::now(),
            "endsAt": "0001-01-01T00:00:00Z",
            "labels": {
                "alertname": self.alert, "service": self.service, "severity": "ticket",
                "instance": "127.0.0.1:9103", "topic": "orders", "datname": "fulfillment",
            },
            "annotations": { "summary": "it is bad" },
        }] });
        let message: Webhook = serde_json::from_value(message).expect("a message");
        self.room.desk.alertmanager(&message).await.expect("it is taken");
    }

    /// The runs, the oldest first, once there are `count` of them and none continues by itself.
    pub(crate) async fn runs(&self, count: usize) -> Vec<RunbookRunView> {
        eventually(SOON, || async {
            let mut runs = self.room.runbooks.runs(50).await.map_err(|error| error.to_string())?;
            runs.reverse();
            let moves = runs.iter().any(|run| run.state == RunState::Running);
            if runs.len() == count && !moves { Ok(runs) } else { Err(format!("{runs:?}")) }
        })
        .await
    }
}

/// How runs ended.
pub(crate) fn endings(runs: &[RunbookRunView]) -> Vec<&str> {
    runs.iter().map(|run| run.ending.as_deref().unwrap_or("none")).collect()
}
