//! Changes of the system: releases, flags, configuration, restarts. Most incidents begin with one, so the newest are always
//! at hand, and each is noted in the open incidents that affect its service. The first look at an incident notes those before it.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use incident::{EntryKind, Source, What};
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};

use crate::{
    bus::{Bus, Kind},
    desk::Desk,
    error::{Error, Result},
    store::{Store, Writing, journal_of},
};

/// How many are in memory.
const KEPT: usize = 500;
/// The kind of a change that is a process which started again.
const RESTART: &str = "restart";
/// That of a change of what people wrote down: schedules, policies, objectives, guardrails.
const CONFIGURATION: &str = "configuration";

/// Something that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When it changed.
    pub at: DateTime<Utc>,
    /// What kind of change it is: release, flag, configuration, restart, protection, rule or other.
    pub kind: String,
    /// The service that changed, if it is one.
    #[serde(default)]
    pub service: Option<String>,
    /// What changed, in a sentence.
    pub text: String,
    /// Who changed it, or which system reported it.
    pub by: String,
    /// Where to read more.
    #[serde(default)]
    pub link: Option<String>,
}

impl Change {
    /// The kind of its entry in a timeline.
    #[must_use]
    pub fn entry_kind(&self) -> EntryKind {
        if self.kind == RESTART { EntryKind::Restart } else { EntryKind::Change }
    }

    /// Somebody changes now what people wrote down.
    #[must_use]
    pub fn of_configuration(by: &str, text: &str) -> Self {
        let (kind, text, by) = (CONFIGURATION.to_owned(), text.to_owned(), by.to_owned());
        Self { at: Utc::now(), kind, service: None, text, by, link: None }
    }
}

/// What changed. Cheap to clone.
#[derive(Clone)]
pub struct Changes {
    store: Store,
    bus: Bus,
    /// Oldest first.
    newest: Arc<RwLock<Vec<Change>>>,
}

impl Changes {
    /// Reads the newest.
    ///
    /// # Errors
    /// When the file fails or has a change that cannot be read.
    pub async fn open(store: &Store, bus: &Bus) -> anyhow::Result<Self> {
        let rows = journal_of(store, Kind::Change, KEPT).await?;
        let changes: serde_json::Result<Vec<Change>> =
            rows.into_iter().map(|row| serde_json::from_value(row.data)).collect();
        let mut changes = changes?;
        changes.sort_by_key(|change| change.at);
        Ok(Self { store: store.clone(), bus: bus.clone(), newest: Arc::new(RwLock::new(changes)) })
    }

    /// Records a change.
    ///
    /// # Errors
    /// When it has no text, or the file fails.
    pub async fn record(&self, change: Change) -> Result<()> {
        self.write(change).await?.commit(&self.bus).await?;
        Ok(())
    }

    /// Records a change, and notes it in each open incident that affects its service; in all, if it names none.
    ///
    /// # Errors
    /// As [`Changes::record`].
    pub async fn record_in(&self, desk: &Desk, change: Change) -> Result<()> {
        let (service, kind) = (change.service.clone(), change.entry_kind());
        let text = match &change.link {
            Some(link) => format!("{} ({link})", change.text),
            None => change.text.clone(),
        };
        let what = What::Noted { kind, happened_at: change.at, text, evidence: Vec::new(), sealed: false };
        let by = Source::System(change.by.clone());
        let writing = self.write(change).await?;
        desk.act_on_service(writing, service.as_deref(), by, &what).await
    }

    async fn write(&self, change: Change) -> Result<Writing<'_>> {
        if change.text.trim().is_empty() {
            return Err(Error::field("text", "expected a sentence that says what changed, found none"));
        }
        let mut writing = self.store.begin().await?;
        self.note(&mut writing, change).await?;
        Ok(writing)
    }

    /// Records a change together with what its caller writes.
    ///
    /// # Errors
    /// When the file fails.
    pub async fn note(&self, writing: &mut Writing<'_>, change: Change) -> Result<()> {
        writing.journal(Utc::now(), Kind::Change, None, false, &change).await?;
        let newest = Arc::clone(&self.newest);
        writing.after(move || {
            let mut newest = newest.write();
            let place = newest.partition_point(|other| other.at <= change.at);
            newest.insert(place, change);
            if newest.len() > KEPT {
                newest.remove(0);
            }
        });
        Ok(())
    }

    /// What changed since a time, newest first, as far as it is among the newest 500.
    #[must_use]
    pub fn since(&self, from: DateTime<Utc>) -> Vec<Change> {
        self.newest.read().iter().rev().take_while(|change| change.at >= from).cloned().collect()
    }
}
