//! Everything that can happen to a run. A store keeps these, applies each before it keeps it, and never keeps one that
//! is refused.

use std::{collections::BTreeMap, fmt};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Answer, Decision, Place};

/// How a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Mode {
    /// A person is guided: each step is shown, and done when the person says so.
    Manual,
    /// Steps are done by themselves; a second person approves before the first act.
    Ask,
    /// All by itself, as far as the guardrails let it.
    Auto,
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// A person, by name.
    Person(String),
    /// Automation, because of an alert.
    Automation,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(name) => f.write_str(name),
            Self::Automation => f.write_str("automation"),
        }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum What {
    /// The run begins; always the first event. It has the text of its file: a changed file changes only runs that
    /// begin later.
    Started {
        /// The id of the run: a word.
        run: String,
        /// The file, such as `runbooks/DeadLetters.yaml`.
        file: String,
        /// Its text.
        text: String,
        /// How it goes.
        mode: Mode,
        /// Who started it.
        by: Who,
        /// Its incident, if it has one.
        incident: Option<String>,
        /// Given parameters.
        parameters: BTreeMap<String, String>,
        /// Labels of the alert.
        labels: BTreeMap<String, String>,
    },
    /// Manual: a person says that the step may be done.
    Confirmed {
        /// Which.
        place: Place,
        /// The person.
        by: String,
        /// The branch that the person chooses, if it is a decision.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        branch: Option<String>,
    },
    /// Manual: a person leaves a step out.
    Skipped {
        /// Which.
        place: Place,
        /// The person.
        by: String,
        /// Why.
        why: String,
    },
    /// A second person approves what was shown.
    Approved {
        /// The person.
        by: String,
        /// What was shown: the digest of the request.
        digest: String,
    },
    /// A second person does not.
    Declined {
        /// The person.
        by: String,
        /// Why not.
        why: String,
    },
    /// The guardrails decided about an act; after a crash, once more before it begins.
    Decided {
        /// Which.
        place: Place,
        /// What they say.
        decision: Decision,
    },
    /// An act is about to be done. Keep this before the act.
    Begun {
        /// Which.
        place: Place,
        /// What was seen just before, such as the start time of a process: after a crash it tells whether the act was
        /// done.
        before: Option<String>,
    },
    /// An act was done, or it failed.
    Done {
        /// Which.
        place: Place,
        /// Whether it worked.
        ok: bool,
        /// What happened, in a line.
        text: String,
    },
    /// A question was answered.
    Answered {
        /// Which.
        place: Place,
        /// The answer.
        answer: Answer,
    },
    /// Somebody stops the run, or the kill switch does. Nothing is taken back.
    Stopped {
        /// Who.
        by: Who,
        /// Why.
        why: String,
    },
}

/// Why an event cannot happen. The run is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The first event is the start.
    #[error("a run begins with its start")]
    NotStarted,
    /// The file of the run is not sound.
    #[error("{0}")]
    File(yaml::Problems),
    /// Its parameters are not.
    #[error("{}", .0.join("\n"))]
    Parameters(Vec<String>),
    /// A person starts it in this mode.
    #[error("automation runs in mode auto, found {0}")]
    Mode(Mode),
    /// One of its acts always needs two people.
    #[error("{0} needs a second person, so it never runs in mode auto: run it in mode manual or ask")]
    NeverAuto(String),
    /// Nothing but a person can decide.
    #[error("{0} is decided by a person: run it in mode manual")]
    Undecidable(String),
    /// A decision needs one of its branches, and no other step has any.
    #[error("{place} has the branches {known}: expected one of them, found {found}")]
    Branch {
        /// Which.
        place: Place,
        /// Those that there are.
        known: String,
        /// What was found.
        found: String,
    },
    /// It is over.
    #[error("the run is over: {0}")]
    Ended(String),
    /// Something else is next.
    #[error("{found} cannot happen now: expected {expected}")]
    Unexpected {
        /// What was found.
        found: &'static str,
        /// What is next.
        expected: String,
    },
    /// A second person has to approve.
    #[error("{0} works on this run and cannot approve it: a second person has to")]
    SamePerson(String),
    /// The acts are not those that were shown.
    #[error("what was approved is not what will be done: show the request again")]
    Digest,
    /// A step that cannot be left out.
    #[error("{place} cannot be left out: {why}")]
    NotSkippable {
        /// Which.
        place: Place,
        /// Why.
        why: &'static str,
    },
    /// A text that people need is missing.
    #[error("{0} is empty: expected a few words")]
    Empty(&'static str),
}

impl What {
    /// A word for it, for messages.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Started { .. } => "a start",
            Self::Confirmed { .. } => "a confirmation",
            Self::Skipped { .. } => "leaving out a step",
            Self::Approved { .. } => "an approval",
            Self::Declined { .. } => "a refusal",
            Self::Decided { .. } => "a decision of the guardrails",
            Self::Begun { .. } => "the begin of an act",
            Self::Done { .. } => "the end of an act",
            Self::Answered { .. } => "an answer",
            Self::Stopped { .. } => "a stop",
        }
    }
}
