//! How an action is done: written down, done when its turn comes, and told.

use std::pin::Pin;

use chrono::{DateTime, Utc};
use incident::Source;
use switchboard::{Action, Outcome};
use uuid::Uuid;

use super::{
    Actions, Done, Task,
    begun::{self, Begun},
    elsewhere,
    tell::tell,
    token,
};
use crate::{
    bus::Kind,
    error::{Error, Result},
    releases,
    room::Room,
};

impl Actions {
    /// In a task of its own: what has begun is finished and recorded, even if the one who asked for it has gone.
    pub(super) async fn perform(&self, room: &Room, task: Task) -> Result<Done> {
        let (actions, own) = (self.clone(), room.clone());
        let work = async move { actions.finish(&own, &task).await };
        let done = room.chassis.tasks.spawn(work).await;
        done.map_err(|error| Error::Elsewhere(format!("the action broke off: {error}")))?
    }

    pub(super) async fn finish(&self, room: &Room, task: &Task) -> Result<Done> {
        // What it was before is only known before.
        let undo = task.action.undo_from_now(&self.0.place, &room.eyes.tools).await;
        let begun = self.begin(room, task, undo).await?;
        match self.change(room, task).await.and_then(somewhere) {
            Ok(results) => self.keep(room, begun, Utc::now(), results).await,
            Err(error) => {
                if let Err(error) = self.forget(&begun).await {
                    tracing::warn!(%error, "an action that was not done stays written down");
                }
                Err(error)
            }
        }
    }

    /// Writes down what was done, and tells everybody.
    pub(super) async fn keep(
        &self,
        room: &Room,
        begun: Begun,
        at: DateTime<Utc>,
        results: Vec<Outcome>,
    ) -> Result<Done> {
        let Begun { id, by, action, incident, why, undo, .. } = begun;
        let done = Done { at, why, undo, ..done(by, action, results) };
        // What is sealed belongs to no incident here: a row of an incident is open once that is closed.
        let (sealed, incident) = (done.action.is_sealed(), incident.filter(|_| !done.action.is_sealed()));
        let mut writing = self.0.store.begin().await?;
        writing.journal(done.at, Kind::Action, incident, sealed, &done).await?;
        begun::remove(&mut writing, id).await?;
        writing.commit(&self.0.bus).await?;
        // The log may be read by trainees.
        if !sealed {
            tracing::info!(action = done.action.name(), by = done.by.name(), "action done");
            tell(room, &done, incident).await;
        }
        Ok(done)
    }

    /// The turn of what takes replicas away, until this is dropped: for drills, which act by themselves.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.0.turn.lock().await
    }

    async fn change(&self, room: &Room, task: &Task) -> Result<Vec<Outcome>> {
        let Task { by, action, .. } = task;
        if let Action::Rollback { change } = action {
            let text = roll_back(room, by.name(), change).await?;
            return Ok(vec![Outcome { replica: change.clone(), ok: true, text }]);
        }
        let takes_away = matches!(
            action,
            Action::Restart { .. }
                | Action::Scale { .. }
                | Action::Drain { .. }
                | Action::Restore { .. }
                | Action::Failover { .. }
        );
        let _turn = if takes_away { Some(self.turn().await) } else { None };
        if task.wanted.as_ref().is_some_and(|wanted| !wanted.now()) {
            return Err(Error::Conflict(
                "not wanted any more: it was stopped before its turn came".to_owned(),
            ));
        }
        action.run(&self.0.place, &room.eyes.tools, token(room)).await.map_err(elsewhere)
    }
}

/// What was done, if it was done anywhere.
fn somewhere(results: Vec<Outcome>) -> Result<Vec<Outcome>> {
    if results.is_empty() {
        return Err(Error::Elsewhere("no service is known here: set INSTANCES".to_owned()));
    }
    if results.iter().all(|outcome| !outcome.ok) {
        let said = results.iter().map(|outcome| format!("{}: {}", outcome.replica, outcome.text));
        return Err(Error::Elsewhere(said.collect::<Vec<_>>().join("\n")));
    }
    Ok(results)
}

/// Takes back a release that is under way, or a change of the running drill. As a boxed future, because drills act through this
/// module themselves.
fn roll_back<'r>(
    room: &'r Room,
    by: &'r str,
    change: &'r str,
) -> Pin<Box<dyn Future<Output = Result<String>> + Send + 'r>> {
    if releases::is_release(change) {
        return Box::pin(room.releases.take_back(room, by, change));
    }
    Box::pin(room.drills.roll_back(room, by, change))
}

pub(super) fn done(by: Source, action: Action, results: Vec<Outcome>) -> Done {
    Done {
        id: Uuid::now_v7(),
        at: Utc::now(),
        by,
        text: action.text(),
        why: None,
        undo: action.undo(),
        action,
        results,
        dry: false,
    }
}
