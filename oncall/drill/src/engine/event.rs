//! What happens during a run. A store keeps [`Start`] and the events; they are never changed.

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::Act;

/// How a run begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// When.
    pub at: DateTime<Utc>,
    /// Who responds.
    pub mode: Mode,
    /// Decides what the faults hit; the drill's own, or another one.
    pub seed: u64,
    /// The services that a restart of everything restarts.
    pub services: Vec<String>,
    /// How many replicas each service has, where that number can be changed: the reset goes back to it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub replicas: BTreeMap<String, u32>,
    /// Whether the responder could know the solution: it was shown to them in an earlier run.
    #[serde(default)]
    pub seen: bool,
    /// What the verification right before has proven, if there is one: see [`Proven`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<Proven>,
    /// The action item that is switched on, in a verification; one that the drill does not have changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

/// What a verification proved that passed: users were served without a break under a known load, no alert fired, the
/// invariants held, and everything was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proven {
    /// When it was clean, by the clock.
    pub at: DateTime<Utc>,
    /// How long users had been served by then, at least.
    pub good_for: Duration,
    /// The mix of the load.
    pub scenario: String,
    /// Requests per second.
    pub rps: u32,
}

/// Who responds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Mode {
    /// Nobody: the drill itself is proven.
    Verify {
        /// What is tried.
        responder: Responder,
    },
    /// A person or an agent.
    Person {
        /// The name.
        name: String,
    },
}

/// What a verification tries.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    strum::Display,
    strum::EnumString,
    strum::VariantNames,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Responder {
    /// The wrong actions that the drill names, then its solution.
    Solution,
    /// Nothing.
    Nothing,
    /// A restart of every service.
    RestartAll,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: DateTime<Utc>,
    /// Who did it or saw it.
    pub by: String,
    /// What it was.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum What {
    /// An action of [`super::Run::due`] was done.
    Done {
        /// Its id.
        action: String,
    },
    /// It could not be done.
    Failed {
        /// Its id.
        action: String,
        /// Why.
        why: String,
    },
    /// A condition of [`super::Run::looks`] was looked at. One that cannot be answered does not hold.
    Looked {
        /// Its id.
        look: String,
        /// Whether it holds.
        holds: bool,
        /// What came back, in a line.
        seen: String,
    },
    /// The people's side told somebody about an alert, or that it ended.
    Notified {
        /// The alert.
        alert: String,
        /// The service that it names.
        service: String,
        /// Whether it is a page; else a ticket.
        page: bool,
        /// Whether it fires; else it ended.
        firing: bool,
    },
    /// The responder says that something is wrong, without a page.
    Noticed,
    /// The responder takes it.
    Acknowledged,
    /// The responder takes the next hint.
    Hint,
    /// The responder answers; a later answer replaces an earlier one.
    Answered {
        /// The answers.
        answers: Answers,
    },
    /// The responder tells others.
    Updated {
        /// The text.
        text: String,
    },
    /// The responder changed the system, successfully.
    Acted {
        /// How.
        act: Act,
    },
    /// The responder says that it is over.
    Submitted,
    /// Somebody stops the run.
    Aborted {
        /// Why.
        why: String,
    },
    /// How much of an error budget was burned since the injection.
    Burned {
        /// Share, 0 to 1 and above.
        share: f64,
    },
}

/// What a responder thinks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// The components that are the cause; empty: nothing is wrong.
    #[serde(default)]
    pub components: Vec<String>,
    /// What fails.
    #[serde(default)]
    pub mechanism: Option<String>,
    /// The change that caused it, or `none`.
    #[serde(default)]
    pub change: Option<String>,
    /// Since when.
    #[serde(default)]
    pub onset: Option<DateTime<Utc>>,
    /// Queries that prove it.
    #[serde(default)]
    pub evidence: Vec<String>,
}
