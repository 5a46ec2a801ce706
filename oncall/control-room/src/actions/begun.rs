//! What has begun and is not in the journal yet. An action is written down before it is done: one that a crash
//! cut off from its journal is found out at the next start, and told as any other. A drill may depend on it.

use chrono::{DateTime, Utc};
use incident::{Id, Source};
use serde::{Deserialize, Serialize};
use sqlx::SqliteConnection;
use switchboard::{Action, Outcome};
use uuid::Uuid;

use super::{Actions, Task, token};
use crate::{error::Result, room::Room};

/// Where they are kept: one row each.
const SETTING: &str = "actions.begun.";

/// An action that has begun.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Begun {
    /// Unique.
    pub(super) id: Uuid,
    /// When.
    pub(super) at: DateTime<Utc>,
    pub(super) by: Source,
    pub(super) action: Action,
    pub(super) incident: Option<Id>,
    pub(super) why: Option<String>,
    /// What takes it back.
    pub(super) undo: Option<Action>,
    /// What was seen before: it is different once the action was done.
    mark: Option<String>,
    /// The process that does it.
    life: Uuid,
}

/// What became of an action that a crash interrupted.
enum Found {
    /// It was not done, or somebody else sees to it.
    Nothing,
    /// It was done, or nobody can know; says which.
    Done(&'static str),
}

/// Finds out, in the background, what became of the actions that a crash interrupted.
pub(super) fn start(room: &Room) {
    let (own, chassis) = (room.clone(), room.chassis.clone());
    chassis.spawn(async move {
        if let Err(error) = own.actions.settle(&own).await {
            tracing::warn!(%error, "what a crash interrupted is not in the journal; the next start tries again");
        }
    });
}

impl Actions {
    /// Writes down that an action begins. What ends faults is not: it does no harm twice, and has to be possible even
    /// if the file fails.
    ///
    /// # Errors
    /// When the file fails: then it must not begin.
    pub(super) async fn begin(&self, room: &Room, task: &Task, undo: Option<Action>) -> Result<Begun> {
        // What does not answer has no mark; the action may be what brings it back.
        let mark = task.action.mark(&self.0.place, &room.eyes.tools, token(room)).await.unwrap_or_default();
        let begun = Begun {
            id: Uuid::now_v7(),
            at: Utc::now(),
            by: task.by.clone(),
            action: task.action.clone(),
            incident: task.incident,
            why: task.why.clone(),
            undo,
            mark,
            life: self.0.life,
        };
        if matches!(task.action, Action::EndFault { .. } | Action::EndFaults { .. }) {
            return Ok(begun);
        }
        let mut writing = self.0.store.begin().await?;
        sqlx::query("INSERT INTO settings (name, value) VALUES (?, ?)")
            .bind(format!("{SETTING}{}", begun.id))
            .bind(serde_json::to_string(&begun)?)
            .execute(&mut *writing)
            .await?;
        writing.commit(&self.0.bus).await?;
        Ok(begun)
    }

    /// It was not done.
    ///
    /// # Errors
    /// When the file fails.
    pub(super) async fn forget(&self, begun: &Begun) -> Result<()> {
        let mut writing = self.0.store.begin().await?;
        remove(&mut writing, begun.id).await?;
        writing.commit(&self.0.bus).await?;
        Ok(())
    }

    /// Takes up what an earlier process left.
    async fn settle(&self, room: &Room) -> Result<()> {
        let rows: Vec<String> =
            sqlx::query_scalar("SELECT value FROM settings WHERE name LIKE ? ORDER BY name")
                .bind(format!("{SETTING}%"))
                .fetch_all(self.0.store.read())
                .await?;
        for row in rows {
            let begun: Begun = serde_json::from_str(&row)?;
            if begun.life == self.0.life {
                continue;
            }
            match self.found(room, &begun).await {
                Found::Nothing => self.forget(&begun).await?,
                Found::Done(text) => {
                    let of = begun.action.target().unwrap_or_else(|| begun.action.name()).to_owned();
                    let outcome = Outcome { replica: of, ok: true, text: text.to_owned() };
                    let at = begun.at;
                    self.keep(room, begun, at, vec![outcome]).await?;
                }
            }
        }
        Ok(())
    }

    async fn found(&self, room: &Room, begun: &Begun) -> Found {
        let now = begun.action.mark(&self.0.place, &room.eyes.tools, token(room)).await.ok().flatten();
        match (&begun.mark, now) {
            (Some(before), Some(now)) if *before == now => Found::Nothing,
            (Some(_), Some(_)) => Found::Done(
                "the control room was stopped while this was done: what was seen before it has changed",
            ),
            // Its run repeats what does no harm twice.
            _ if matches!(begun.by, Source::Runbook(_)) => Found::Nothing,
            _ => Found::Done("the control room was stopped while this was done: look whether it was"),
        }
    }
}

/// Removes a row.
///
/// # Errors
/// When the file fails.
pub(super) async fn remove(connection: &mut SqliteConnection, id: Uuid) -> Result<()> {
    let statement = sqlx::query("DELETE FROM settings WHERE name = ?");
    statement.bind(format!("{SETTING}{id}")).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::{SERVICE, assemble, config::RoomConfig};

    async fn rows(room: &Room) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM settings WHERE name LIKE 'actions.begun.%'")
            .fetch_one(room.store.read())
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn an_action_that_was_cut_off_is_told_by_the_next_process_and_only_by_that() {
        let config = RoomConfig::parse_from(["control-room", "--instances=order-api=http://127.0.0.1:1"]);
        let chassis = config.common().chassis(SERVICE, &[], &[]);
        let room = assemble(&config, chassis).await.unwrap();
        let action = |name: &str| Action::SetProtection {
            target: "order-api".to_owned(),
            name: name.to_owned(),
            enabled: false,
            ttl: None,
        };
        let task = |by: Source| {
            let (incident, why, wanted) = (None, None, None);
            Task { by, action: action("timeout"), incident, why, wanted }
        };
        let ada = Source::Person("ada".to_owned());
        let refused = room.actions.finish(&room, &task(ada.clone())).await;
        assert!(refused.is_err() && rows(&room).await == 0, "nobody listens on port 1: {refused:?}");

        room.actions.begin(&room, &task(ada.clone()), None).await.unwrap();
        room.actions.begin(&room, &task(Source::Runbook("TargetDown".to_owned())), None).await.unwrap();
        room.actions.settle(&room).await.unwrap();
        assert_eq!(rows(&room).await, 2, "they may still be under way");
        let later = Actions::new(&room.eyes, &room.store, &room.bus);
        later.settle(&room).await.unwrap();
        let recent = later.recent(9).await.unwrap();
        assert_eq!(recent.len(), 1, "a runbook repeats its own: {recent:?}");
        assert_eq!((&recent[0].by, &recent[0].action), (&ada, &action("timeout")));
        assert!(recent[0].results[0].text.contains("look whether it was"), "{recent:?}");
        assert_eq!(rows(&room).await, 0);
    }
}
