//! What changes the system: one way for the pages, the API, runbooks, agents and the automatic stop. Each action is done and
//! then recorded once, in the journal, in the timelines of the incidents that it concerns and in the list of changes.
//!
//! Faults are sealed: they are in the journal for instructors only, and in no timeline. The truth reaches an incident by
//! another way, once it is closed.

mod begun;
mod perform;
mod stop;
mod tell;
mod wanted;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use incident::{Id, Source};
use parking_lot::Mutex;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
pub use stop::{Condition, Reading, Stop};
use switchboard::{Action, Outcome, Place};
pub(crate) use tell::concerned;
use uuid::Uuid;
pub use wanted::Wanted;

use self::perform::done;
use crate::{
    access::Visitor,
    bus::{Bus, Kind},
    error::{Error, Result},
    eyes::Eyes,
    room::Room,
    store::{self, Store},
};

/// Changes the system. Cheap to clone.
#[derive(Clone)]
pub struct Actions(Arc<Inner>);

struct Inner {
    place: Place,
    store: Store,
    bus: Bus,
    /// Of this process: what others have begun, a crash has interrupted.
    life: Uuid,
    /// Held by what takes replicas away: two who ask for a restart at once never stop two replicas at once.
    turn: tokio::sync::Mutex<()>,
    /// The automatic stop and what it read last.
    stop: Mutex<(Option<Stop>, Option<Reading>)>,
}

/// Why nobody but an instructor may act now.
const PROVING: &str =
    "a drill is being proven: what others change now would be part of the result; wait for its end";

/// Why nobody does this alone.
const TOGETHER: &str =
    "a second person has to approve it: lab runbook run restore to=TIME instance=NAME, or its page";

/// An action, for whom it is done and why.
struct Task {
    by: Source,
    action: Action,
    incident: Option<Id>,
    why: Option<String>,
    /// Always, if absent.
    wanted: Option<Wanted>,
}

/// An action that was done, or tried without doing it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// Unique.
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// Who asked for it.
    pub by: Source,
    /// What.
    pub action: Action,
    /// The same as a sentence.
    pub text: String,
    /// Why, if it was not a person's decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What became of it in each replica.
    pub results: Vec<Outcome>,
    /// What takes it back.
    pub undo: Option<Action>,
    /// Nothing was changed: `results` say what would happen.
    #[serde(default)]
    pub dry: bool,
}

impl Done {
    /// The replicas in which it did not work.
    pub fn failures(&self) -> impl Iterator<Item = &Outcome> {
        self.results.iter().filter(|outcome| !outcome.ok)
    }
}

impl Actions {
    /// In the place that `eyes` watch.
    #[must_use]
    pub fn new(eyes: &Eyes, store: &Store, bus: &Bus) -> Self {
        let (turn, stop) = (tokio::sync::Mutex::default(), Mutex::default());
        let (place, life) = (eyes.place.clone(), Uuid::now_v7());
        Self(Arc::new(Inner { place, store: store.clone(), bus: bus.clone(), life, turn, stop }))
    }

    /// Does an action, or with `dry` says what it would do. One that is sealed ([`Action::is_sealed`]) is for instructors: callers
    /// check that.
    ///
    /// # Errors
    /// When there is no such target or incident, no replica did it, a second person has to approve it, or a drill is
    /// being proven and this is no instructor: then nothing has changed.
    pub async fn run(
        &self,
        room: &Room,
        by: &Visitor,
        action: Action,
        incident: Option<Id>,
        dry: bool,
    ) -> Result<Done> {
        if let Some(id) = incident {
            room.desk.get(id).await?;
        }
        if dry {
            let results = action.describe(&self.0.place, &room.eyes.tools, token(room)).await;
            let results = results.map_err(elsewhere)?;
            return Ok(Done { undo: None, dry, ..done(by.source(), action, results) });
        }
        if action.needs_approval() {
            return Err(Error::Conflict(TOGETHER.to_owned()));
        }
        let (drills, instructs) = (room.drills.clone(), by.is_instructor());
        let wanted = Wanted::as_long_as(move || instructs || !drills.is_proving());
        if !wanted.now() {
            return Err(Error::ForInstructors(PROVING.to_owned()));
        }
        let (by, wanted) = (by.source(), Some(wanted));
        self.perform(room, Task { by, action, incident, why: None, wanted }).await
    }

    /// Does an action for a runbook, unless `wanted` says no when its turn has come; `why` goes into the journal. Sealed ones
    /// too: callers check that.
    ///
    /// # Errors
    /// As [`Actions::run`], when it is not wanted any more, or a drill is being proven.
    pub async fn run_as(
        &self,
        room: &Room,
        by: Source,
        action: Action,
        incident: Option<Id>,
        (why, wanted): (String, Wanted),
    ) -> Result<Done> {
        if let Some(id) = incident {
            room.desk.get(id).await?;
        }
        if room.drills.is_proving() {
            return Err(Error::Conflict(PROVING.to_owned()));
        }
        self.perform(room, Task { by, action, incident, why: Some(why), wanted: Some(wanted) }).await
    }

    /// The newest actions first, including sealed ones: show those to instructors only.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn recent(&self, limit: usize) -> Result<Vec<Done>> {
        let notices = store::journal_of(&self.0.store, Kind::Action, limit).await?;
        notices
            .into_iter()
            .map(|notice| -> Result<Done> { Ok(serde_json::from_value(notice.data)?) })
            .collect()
    }

    /// The newest actions that everybody may see, first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn recent_open(&self, limit: usize) -> Result<Vec<Done>> {
        let mut all = self.recent(limit.saturating_mul(SEALED_BETWEEN)).await?;
        all.retain(|done| !done.action.is_sealed());
        all.truncate(limit);
        Ok(all)
    }
}

/// How many sealed actions there may be for each open one until an open one is missed in a list.
const SEALED_BETWEEN: usize = 10;

/// Starts to watch the automatic stop, and finds out what became of what a crash interrupted.
pub fn start(room: &Room) {
    stop::start(room);
    begun::start(room);
}

/// The token that the switches require.
pub(crate) fn token(room: &Room) -> Option<&str> {
    room.config.sources.faults_token.as_ref().map(|token| token.expose_secret())
}

/// An error of the switches as one of the control room.
pub(crate) fn elsewhere(error: switchboard::Error) -> Error {
    match error {
        switchboard::Error::NoService(name, known) => Error::NoSuch { what: "service", name, known },
        switchboard::Error::NotHere { what, next } => Error::NotHere { what, next },
        switchboard::Error::Wrong { field, expected } => Error::field(field, expected),
        error => Error::Elsewhere(error.to_string()),
    }
}
