//! Everything that can happen to a release. A store keeps these, applies each before it keeps it, and never keeps one that
//! is refused.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Plan;
use crate::{Block, Opinion};

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
    /// The release begins; always the first event.
    Started {
        /// What it is meant to do.
        plan: Box<Plan>,
    },
    /// The commit that was next is in the repository.
    Committed {
        /// The key of [`Next::Commit`](super::Next::Commit).
        key: String,
        /// Its id; none if there was nothing to take back.
        commit: Option<String>,
    },
    /// What the newest commit says is in force, and every instance that it needs is ready.
    Settled,
    /// What happened in a stretch of time. It counts as exposure at any time, and for the judge while a step is watched.
    Measured {
        /// The counts.
        block: Block,
    },
    /// A step is decided: the opinion came from [`Next::Note`](super::Next::Note).
    Judged {
        /// With its numbers.
        opinion: Opinion,
    },
    /// The time of the wait that was next is over.
    Expired,
    /// An error budget holds up the next step: the answer of [`Run::ahead`](super::Run::ahead).
    Frozen {
        /// Why.
        why: String,
    },
    /// Something cannot be done: the new version does not start, the repository refuses the commit.
    Failed {
        /// What and why.
        why: String,
    },
    /// A person lets a release that is held make its next step.
    Continued {
        /// Who.
        by: String,
        /// Why.
        why: String,
    },
    /// A person stops it.
    Aborted {
        /// Who.
        by: String,
        /// Why.
        why: String,
    },
}

impl What {
    /// The people in whose names it happens; none, if no person decided it.
    #[must_use]
    pub fn signed(&self) -> Vec<&str> {
        match self {
            Self::Started { plan } => {
                let over = plan.over.iter().map(|(by, _)| by.as_str());
                std::iter::once(plan.by.as_str()).chain(over).collect()
            }
            Self::Continued { by, .. } | Self::Aborted { by, .. } => vec![by.as_str()],
            Self::Committed { .. }
            | Self::Settled
            | Self::Measured { .. }
            | Self::Judged { .. }
            | Self::Expired
            | Self::Frozen { .. }
            | Self::Failed { .. } => Vec::new(),
        }
    }

    /// It happened at `at`.
    #[must_use]
    pub fn at(self, at: DateTime<Utc>) -> Event {
        Event { at, what: self }
    }
}
