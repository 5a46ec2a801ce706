//! What a run asks of its caller, and what it reports.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::Serialize;

#[cfg(doc)]
use super::What;
use crate::{Call, Change, Place, dry::Shown};

/// What is next.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "next", rename_all = "snake_case")]
pub enum Next {
    /// Show a step to the person, and wait for [`What::Confirmed`] or [`What::Skipped`].
    Confirm(Shown),
    /// Wait for [`What::Approved`] or [`What::Declined`] of a second person.
    Approve(Request),
    /// Ask, and record [`What::Answered`].
    Look {
        /// Where.
        place: Place,
        /// The question.
        call: Call,
        /// Ask again and again; the last time at this instant.
        until: Option<DateTime<Utc>>,
    },
    /// Ask [`crate::guardrails::decide()`], and record [`What::Decided`].
    Decide {
        /// Where.
        place: Place,
        /// The change.
        change: Change,
        /// Whether a second person has approved.
        approved: bool,
        /// Whether it takes an act back.
        undo: bool,
    },
    /// Record [`What::Begun`] unless `begun` is there, do it, and record [`What::Done`].
    Act {
        /// Where.
        place: Place,
        /// The change.
        change: Change,
        /// It had begun before a crash: find out first whether it was done.
        begun: Option<Begun>,
    },
    /// Nothing.
    Ended(End),
}

impl Next {
    /// What is next, for a message.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Confirm(shown) => format!("that somebody confirms {}", shown.place),
            Self::Approve(_) => "that a second person approves".to_owned(),
            Self::Look { place, .. } => format!("the answer to {place}"),
            Self::Decide { place, .. } => format!("what the guardrails say about {place}"),
            Self::Act { place, begun: None, .. } => format!("that {place} begins"),
            Self::Act { place, .. } => format!("what became of {place}"),
            Self::Ended(end) => format!("nothing, because {}", end.why),
        }
    }
}

/// An act that had begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Begun {
    /// When.
    pub at: DateTime<Utc>,
    /// What was seen just before.
    pub before: Option<String>,
}

/// What a second person is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Request {
    /// Why.
    pub why: String,
    /// All that the run may change, and what takes each back.
    pub changes: Vec<(Place, Change)>,
    /// Who cannot approve.
    pub not: BTreeSet<String>,
    /// SHA-256 of the changes.
    pub digest: String,
}

/// What a second person agreed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// The person.
    pub by: String,
    /// Since when the run waited for somebody.
    pub asked: DateTime<Utc>,
    /// When.
    pub at: DateTime<Utc>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::Display)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Ending {
    /// Every step was done, and the last verify held.
    Succeeded,
    /// Something was not as expected before any act, or somebody stopped it.
    Stopped,
    /// The guardrails keep it from an act: what is left of it is a recommendation for a person.
    Recommended,
    /// A second person declined.
    Declined,
    /// An act failed, or was not proven to help.
    Failed,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct End {
    /// How.
    pub how: Ending,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub why: String,
    /// Acts that were taken back.
    pub undone: Vec<String>,
    /// Acts that were done and stay, with the reason; only if the run did not succeed.
    pub left: Vec<String>,
}

/// A place that the run has passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Passed {
    /// Which.
    pub place: Place,
    /// Since when it was next.
    pub from: DateTime<Utc>,
    /// When it was passed.
    pub until: DateTime<Utc>,
    /// When a person said that it may be done, in manual mode.
    pub confirmed: Option<DateTime<Utc>>,
    /// Who did it, in manual mode; who approved it.
    pub by: Option<String>,
    /// Whether it went as planned; a step that was left out did not.
    pub ok: bool,
    /// What happened.
    pub text: String,
}
