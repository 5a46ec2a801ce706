//! What is going on: looks at the system again and again, keeps the picture, and writes down what people need to know:
//! symptoms, restarts, recovery, cost, and for the instructor the truth.
//!
//! * [`seen`] -- the picture. `look` and `switches` renew it.
//! * `queries` -- the PromQL of a look. `sli` -- the indicators of an incident and their curve.
//! * `timeline`, `restarts`, `truth`, `impact` -- what is noted in incidents. `ended` -- what happens when one resolves.
//! * `objectives`, `budgets` -- those that were declared: they have no rules.
//! * `heartbeat` -- the dead man's switch. `resolve` -- incidents that end by themselves.
//! * `diagnose` -- what a person would look at first, asked at once. `gauges` -- what is exported.
//!
//! Nothing here decides about people: paging is `duty`'s. Whatever does not answer is skipped, and asked again.

mod budgets;
mod diagnose;
mod ended;
mod follow;
mod gauges;
mod heartbeat;
mod impact;
mod look;
mod objectives;
mod queries;
mod resolve;
mod restarts;
pub mod seen;
mod sli;
mod switches;
mod timeline;
mod truth;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::Utc;
use incident::Id;
use parking_lot::{Mutex, RwLock};
use serde_json::Value;

use crate::{
    bus::{Kind, Notice},
    room::Room,
};
pub use diagnose::diagnose;
pub(crate) use ended::redraft;
pub(crate) use queries::window;
pub use seen::{Budget, FaultSeen, InstanceSeen, ProtectionSeen, Reach, Seen, ServiceSeen};
pub use sli::sli_curve;

/// The picture, and what the tasks remember between two looks. Cheap to clone.
#[derive(Clone, Default)]
pub struct Watch(Arc<Inner>);

#[derive(Default)]
struct Inner {
    seen: RwLock<Arc<Seen>>,
    trends: Mutex<BTreeMap<Id, timeline::Trend>>,
    /// What is being looked up, and for which incident.
    looking: Mutex<BTreeSet<(&'static str, Id)>>,
}

impl Watch {
    /// What is known now.
    #[must_use]
    pub fn seen(&self) -> Arc<Seen> {
        Arc::clone(&self.0.seen.read())
    }

    /// Changes the picture; says what listeners are told, if that has changed.
    fn change(&self, change: impl FnOnce(&mut Seen)) -> Option<Value> {
        let mut seen = self.0.seen.write();
        let before = seen.news();
        change(Arc::make_mut(&mut seen));
        let after = seen.news();
        (after != before).then_some(after)
    }
}

/// Starts to watch. The tasks end at shutdown.
pub fn start(room: &Room) {
    background(room, look::run(room.clone()));
    background(room, objectives::run(room.clone()));
    background(room, budgets::run(room.clone()));
    background(room, switches::run(room.clone()));
    background(room, impact::run(room.clone()));
    background(room, follow::run(room.clone()));
    background(room, heartbeat::run(room.clone()));
    background(room, resolve::run(room.clone()));
    background(room, gauges::run(room.clone()));
}

/// Runs a task until shutdown, and then drops it: it is never waited for.
fn background(room: &Room, task: impl Future<Output = ()> + Send + 'static) {
    let stop = room.chassis.shutdown.clone();
    room.chassis.spawn(async move {
        stop.run_until_cancelled_owned(task).await;
    });
}

/// Changes the picture, and tells listeners if there is news.
fn publish(room: &Room, change: impl FnOnce(&mut Seen)) {
    if let Some(data) = room.watch.change(change) {
        room.bus.tell(Notice {
            seq: 0,
            at: Utc::now(),
            kind: Kind::Watch,
            incident: None,
            sealed: false,
            data,
        });
    }
}

/// Logs what could not be written down; it is tried again where that helps.
fn note_failure(what: &'static str, result: Result<(), crate::error::Error>) {
    if let Err(error) = result {
        tracing::warn!(%error, what, "not written down");
    }
}
