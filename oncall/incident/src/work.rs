//! What people do during and after an incident: roles, tasks, links, hypotheses; what it cost; and the truth.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::Evidence;

/// A role in the response. One person has one; a small incident needs a commander only.
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
    strum::EnumCount,
    strum::VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Role {
    /// Decides, and does nothing else.
    Commander,
    /// Changes the system, alone.
    Operations,
    /// Tells everybody else, at fixed intervals.
    Communications,
    /// Writes down what is seen and done.
    Scribe,
}

impl Role {
    /// All, in the order in which they are filled.
    pub const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    /// What a person in this role does, in a sentence.
    #[must_use]
    pub const fn duty(self) -> &'static str {
        match self {
            Self::Commander => "Decides what is done next, asks for it, and keeps the overview.",
            Self::Operations => "Changes the system; nobody else does.",
            Self::Communications => "Tells customers and colleagues what is known, at fixed intervals.",
            Self::Scribe => "Writes down what is seen, decided and done, with times.",
        }
    }
}

/// Something to do, during the incident or after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Number within the incident, counted from 1.
    pub id: u32,
    /// What to do.
    pub text: String,
    /// Who does it.
    pub owner: Option<String>,
    /// Until when.
    pub due: Option<NaiveDate>,
    /// Whether it prevents the next incident (an action item of the postmortem), or ends this one.
    pub follow_up: bool,
    /// When it was done.
    #[serde(default)]
    pub done_at: Option<DateTime<Utc>>,
}

/// A link that belongs to an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What it leads to.
    pub title: String,
    /// Where.
    pub url: String,
}

/// What a hypothesis has come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Not known yet.
    Open,
    /// It is not that.
    RuledOut {
        /// Why not.
        why: String,
    },
    /// It is that.
    Confirmed {
        /// How that is known.
        why: String,
    },
}

/// Something that speaks for or against a hypothesis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// When it was found.
    pub at: DateTime<Utc>,
    /// For, or against.
    pub supports: bool,
    /// What was found.
    pub text: String,
    /// The query that shows it.
    pub evidence: Option<Evidence>,
}

/// What might be the cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hypothesis {
    /// Number within the incident, counted from 1.
    pub id: u32,
    /// The statement.
    pub text: String,
    /// When it was stated.
    pub stated_at: DateTime<Utc>,
    /// What speaks for and against it, oldest first.
    pub findings: Vec<Finding>,
    /// What it has come to.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// What the incident cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Impact {
    /// Users who saw an error or waited too long.
    pub users: Option<u64>,
    /// Orders that were refused, lost or late.
    pub orders: Option<u64>,
    /// Their worth in cents.
    pub cents: Option<u64>,
    /// Share of each error budget that was spent: objective and share, 0 to 1 and above.
    #[serde(default)]
    pub budgets: Vec<(String, f64)>,
}

/// What really happened, as only the person who injected the fault knows it. Sealed until the incident is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// The fault point.
    pub fault: String,
    /// Where.
    pub service: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Who set it.
    pub by: String,
}
