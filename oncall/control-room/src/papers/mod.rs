//! Postmortems: every version of every one. The newest is also written to a folder, for people and their tools.

#[cfg(test)]
mod tests;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::{DateTime, NaiveDate, Utc};
use incident::{Id, Task};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Mutex;

use crate::{
    bus::{Bus, Kind},
    desk::Desk,
    error::{Error, Result},
    store::{Store, id as id_of, key, time},
};

/// Longest text in bytes.
const LONGEST: usize = 1 << 20;
/// `incident, version, at, author, text`.
type Row = (i64, i64, i64, String, String);

/// A version of a postmortem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The incident.
    pub incident: Id,
    /// Its number, counted from 1.
    pub version: i64,
    /// When it was saved.
    pub at: DateTime<Utc>,
    /// Who saved it.
    pub author: String,
    /// All of it, as Markdown.
    pub text: String,
}

/// The postmortems. Cheap to clone.
#[derive(Clone)]
pub struct Papers {
    store: Store,
    bus: Bus,
    folder: Option<Arc<Folder>>,
}

struct Folder {
    path: PathBuf,
    /// One writes at a time, so that the newest version is what stays.
    turn: Mutex<()>,
}

impl Papers {
    /// The postmortems of this store; the newest versions are also written to `folder`.
    #[must_use]
    pub fn open(store: &Store, bus: &Bus, folder: Option<&Path>) -> Self {
        let folder = folder.map(|path| Arc::new(Folder { path: path.to_owned(), turn: Mutex::default() }));
        Self { store: store.clone(), bus: bus.clone(), folder }
    }

    /// The newest version, if there is one.
    ///
    /// # Errors
    /// When the file fails.
    pub async fn latest(&self, id: Id) -> Result<Option<Version>> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT incident, version, at, author, text FROM postmortems
             WHERE incident = ? ORDER BY version DESC LIMIT 1",
        )
        .bind(key(id))
        .fetch_optional(self.store.read())
        .await?;
        Ok(row.map(version))
    }

    /// All versions, newest first.
    ///
    /// # Errors
    /// When the file fails.
    pub async fn versions(&self, id: Id) -> Result<Vec<Version>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT incident, version, at, author, text FROM postmortems
             WHERE incident = ? ORDER BY version DESC",
        )
        .bind(key(id))
        .fetch_all(self.store.read())
        .await?;
        Ok(rows.into_iter().map(version).collect())
    }

    /// One version.
    ///
    /// # Errors
    /// [`Error::NoSuch`], or when the file fails.
    pub async fn get(&self, id: Id, number: i64) -> Result<Version> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT incident, version, at, author, text FROM postmortems WHERE incident = ? AND version = ?",
        )
        .bind(key(id))
        .bind(number)
        .fetch_optional(self.store.read())
        .await?;
        if let Some(row) = row {
            return Ok(version(row));
        }
        let known = match self.latest(id).await? {
            Some(Version { version: 1, .. }) => "1".to_owned(),
            Some(latest) => format!("1 to {}", latest.version),
            None => "none yet".to_owned(),
        };
        let name = format!("{number} of {id}");
        Err(Error::NoSuch { what: "version of the postmortem", name, known })
    }

    /// The newest version of each, newest incident first.
    ///
    /// # Errors
    /// When the file fails.
    pub async fn list(&self) -> Result<Vec<Version>> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT incident, version, at, author, text FROM postmortems AS one
             WHERE version = (SELECT max(version) FROM postmortems AS other WHERE other.incident = one.incident)
             ORDER BY incident DESC",
        )
        .fetch_all(self.store.read())
        .await?;
        Ok(rows.into_iter().map(version).collect())
    }

    /// Saves the version after `expected`; 0 if there is none yet.
    ///
    /// # Errors
    /// [`Error::Conflict`] if `expected` is not the newest, [`Error::NoIncident`], when there is no text or too much of it,
    /// or when the file fails.
    pub async fn save(&self, id: Id, expected: i64, author: &str, text: &str) -> Result<Version> {
        if text.trim().is_empty() || text.len() > LONGEST {
            let found = text.len();
            let expected =
                format!("expected 1 to {LONGEST} bytes of Markdown, found {found} bytes or only blanks");
            return Err(Error::field("text", expected));
        }
        let mut writing = self.store.begin().await?;
        let exists: Option<i64> = sqlx::query_scalar("SELECT id FROM incidents WHERE id = ?")
            .bind(key(id))
            .fetch_optional(&mut *writing)
            .await?;
        exists.ok_or(Error::NoIncident(id))?;
        let latest: i64 =
            sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM postmortems WHERE incident = ?")
                .bind(key(id))
                .fetch_one(&mut *writing)
                .await?;
        if latest != expected {
            return Err(Error::Conflict(format!(
                "the postmortem of {id} has version {latest}, expected {expected}: read it again, then save your changes on top"
            )));
        }
        let (at, number) = (time::from_micros(time::micros(Utc::now())), latest + 1);
        sqlx::query("INSERT INTO postmortems (incident, version, at, author, text) VALUES (?, ?, ?, ?, ?)")
            .bind(key(id))
            .bind(number)
            .bind(time::micros(at))
            .bind(author)
            .bind(text)
            .execute(&mut *writing)
            .await?;
        let news = json!({ "version": number, "by": author });
        writing.journal(at, Kind::Postmortem, Some(id), false, &news).await?;
        writing.commit(&self.bus).await?;
        self.export(id).await;
        let (author, text) = (author.to_owned(), text.to_owned());
        Ok(Version { incident: id, version: number, at, author, text })
    }

    /// Writes the newest version to the folder. A failure loses nothing: the store has it.
    async fn export(&self, id: Id) {
        let Some(folder) = &self.folder else { return };
        let _turn = folder.turn.lock().await;
        let written = match self.latest(id).await {
            Ok(Some(latest)) => write(&folder.path, id, &latest.text).await,
            Ok(None) => Ok(()),
            Err(error) => Err(io::Error::other(error)),
        };
        if let Err(error) = written {
            let folder = folder.path.display();
            tracing::warn!(%error, %folder, incident = %id, "a postmortem was saved but not written to the folder");
        }
    }
}

/// Replaces `INC-1.md` as a whole: a reader sees the old one or the new one.
async fn write(folder: &Path, id: Id, text: &str) -> io::Result<()> {
    tokio::fs::create_dir_all(folder).await?;
    let part = folder.join(format!(".{id}.md.part"));
    tokio::fs::write(&part, text).await?;
    tokio::fs::rename(&part, folder.join(format!("{id}.md"))).await
}

fn version((incident, version, at, author, text): Row) -> Version {
    Version { incident: id_of(incident), version, at: time::from_micros(at), author, text }
}

/// What is still to do so that it does not happen again, of all incidents: overdue first, then by date.
#[must_use]
pub fn action_items(desk: &Desk, now: DateTime<Utc>) -> Vec<(Id, Task)> {
    let mut items: Vec<(Id, Task)> = Vec::new();
    for incident in desk.recent(usize::MAX) {
        items.extend(incident.action_items().map(|task| (incident.id, task.clone())));
    }
    let today = now.date_naive();
    items.sort_by_key(|(id, task)| {
        let due = task.due.unwrap_or(NaiveDate::MAX);
        (due >= today, due, *id, task.id)
    });
    items
}
