//! What people read: entries with a time, a source and evidence, in the order in which things happened.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Who looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Viewer {
    /// Works on the incident, and must find out by looking.
    Trainee,
    /// Knows the truth.
    Instructor,
}

/// Who or what said it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum Source {
    /// A person.
    Person(String),
    /// A program that acts on its own.
    Agent(String),
    /// A runbook.
    Runbook(String),
    /// A system that reports: `alertmanager`, `pagerduty`, `prometheus`.
    System(String),
    /// The control room itself, by rule.
    ControlRoom,
}

impl Source {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Person(name) | Self::Agent(name) | Self::Runbook(name) | Self::System(name) => name,
            Self::ControlRoom => "control room",
        }
    }
}

/// What an entry is about.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum EntryKind {
    /// The indicator got worse for the first time.
    Symptom,
    /// An alert's condition holds, but not yet long enough.
    Pending,
    /// An alert fires.
    Firing,
    /// An alert cleared.
    Cleared,
    /// Somebody was notified.
    Page,
    /// Somebody took it over, or an acknowledgement expired.
    Acknowledgement,
    /// The next level was notified.
    Escalation,
    /// The incident's state.
    State,
    /// Its severity, or that it is a major one.
    Severity,
    /// A role was given or taken.
    Role,
    /// A service is affected, or no longer.
    Service,
    /// Somebody looked.
    Query,
    /// Somebody changed the system.
    Action,
    /// The system changed: a release, a flag, configuration.
    Change,
    /// A process started again.
    Restart,
    /// A hypothesis, or a finding about it.
    Hypothesis,
    /// The control room looked by itself.
    Diagnosis,
    /// A status update.
    Update,
    /// A remark.
    Note,
    /// A task.
    Task,
    /// A link.
    Link,
    /// What it cost.
    Impact,
    /// The indicator is good again.
    Recovery,
    /// What really happened.
    Truth,
}

/// A query and what it answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The query, as it was sent.
    pub query: String,
    /// What came back, in a line or a few.
    pub answer: String,
    /// Where to ask again.
    pub link: Option<String>,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When it happened; an entry by hand may be about the past.
    pub at: DateTime<Utc>,
    /// What it is about.
    pub kind: EntryKind,
    /// Who said it.
    pub source: Source,
    /// What happened.
    pub text: String,
    /// How that is known.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// For instructors only, until the incident is closed.
    #[serde(default)]
    pub sealed: bool,
}
