//! What has happened, told to everyone in this process: timers, the event stream, pages. Rows of the journal, after they
//! are committed.
//!
//! A slow listener loses the oldest notices, never blocks a writer, and catches up from the journal.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use incident::Id;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::broadcast;

/// How many notices a listener may be behind.
const BEHIND: usize = 1024;

/// What a row of the journal is about.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    /// An event of an incident; data is an [`incident::Event`].
    Incident,
    /// The system changed: a release, a flag, a restart; data is a `changes::Change`.
    Change,
    /// Somebody was notified; data is a `phone::Page`.
    Page,
    /// Somebody changed the system through the control room; data is an `actions::Done`.
    Action,
    /// Who is on call changed: the file, what the API declared or an override; data is `{text, by}`.
    Rota,
    /// A message in a war room; data is a `notify::Message`.
    Message,
    /// A new version of a postmortem; data is `{version, by}`.
    Postmortem,
    /// A drill is in progress, or ended; data is `{run, what, phase, verdict}`. Sealed: what it did, for instructors.
    Drill,
    /// A run of a runbook changed, data is `{run, runbook, state, text}`; or automation was switched, data is
    /// `{automation, by, why}`; or a guardrail was declared or withdrawn, data is `{guardrail, by, text}`.
    Runbook,
    /// Somebody looked or acted as a responder, through MCP or `/api/v1/observe`; data is an `mcp::tools::Asked`.
    Asked,
    /// Alerts are pending or firing, or a service's state changed; not in the journal, `seq` is 0.
    Watch,
}

/// A row of the journal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Notice {
    /// Its number; what `Last-Event-ID` means. 0 for what is not kept.
    pub seq: i64,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// What it is about.
    pub kind: Kind,
    /// The incident, if it is about one.
    pub incident: Option<Id>,
    /// For instructors only, until the incident is closed.
    #[serde(skip)]
    pub sealed: bool,
    /// The content.
    pub data: Value,
}

/// Tells listeners. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bus(broadcast::Sender<Arc<Notice>>);

impl Default for Bus {
    fn default() -> Self {
        Self(broadcast::channel(BEHIND).0)
    }
}

impl Bus {
    /// Tells everyone who listens now.
    pub fn tell(&self, notice: impl Into<Arc<Notice>>) {
        // Fails only if nobody listens.
        let _ = self.0.send(notice.into());
    }

    /// Everything from now on.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Arc<Notice>> {
        self.0.subscribe()
    }
}
