//! What automation may do. Deny wins; what no rule covers is only recommended; limits, health, deploys, other incidents,
//! the breaker and the kill switch hold whatever the rules say.
//!
//! [`decide()`] is a pure function of the file, of what was done before ([`Ledger`]) and of the situation. People may go
//! further than automation, with the reasons before their eyes: only a rule that denies, and a second replica of a
//! service at the same time, stop them too.

mod decide;
mod ledger;

use std::{collections::BTreeMap, time::Duration};

pub use decide::{OpenIncident, Proposal, Replicas, Situation, decide};
pub use ledger::{Entry, Ledger, Noted, noted};
use rota::Windows;
use serde::{Deserialize, Serialize};

use crate::Verb;

/// What `guardrails.yaml` says, after it was checked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Guardrails {
    /// Who may do what to what.
    pub rules: Vec<Rule>,
    /// How often one target may be changed.
    pub per_target: Limit,
    /// How often anything may be changed.
    pub global: Limit,
    /// How many replicas of a service have to be healthy; 1, if it is not listed.
    pub minimum_healthy: BTreeMap<String, u32>,
    /// When automation switches itself off.
    pub breaker: Breaker,
    /// When automation asks before it acts, because its mistakes would be noticed late.
    pub quiet_hours: Option<Windows>,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Unique.
    pub name: String,
    /// Why, for people.
    pub why: String,
    /// What follows.
    pub then: Then,
    /// Verbs that it is about; all, if a denial lists none.
    pub verbs: Vec<Verb>,
    /// Targets: services, `postgres`, `redis`, `alertmanager`; all, if a denial lists none.
    pub targets: Vec<String>,
    /// Runbooks; all, if none is listed.
    pub runbooks: Vec<String>,
}

/// What follows from a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::EnumString, strum::VariantNames)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Then {
    /// It may be done.
    Auto,
    /// It may be done once a person approves.
    Ask,
    /// It may not be done.
    Deny,
}

/// At most so often within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Limit {
    /// How often.
    pub most: u32,
    /// Written as in production; divided by the speed of the clock.
    pub within: Duration,
}

/// When automation switches itself off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Breaker {
    /// After this number of runs whose acts were not proven to help.
    pub failed_verifies: u32,
    /// Written as in production; divided by the speed of the clock.
    pub within: Duration,
}

/// What the guardrails say; the worst comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Verdict {
    /// Do it.
    Allow,
    /// Do it once a second person approves.
    Ask,
    /// Automation does not do it; a person may.
    Recommend,
    /// Nobody does it.
    Deny,
}

/// A verdict, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What may be done.
    pub verdict: Verdict,
    /// A sentence for each thing that was found, the ones that do not hold it back too.
    pub reasons: Vec<String>,
}

impl Rule {
    /// Whether it is about this change.
    fn covers(&self, verb: Verb, target: &str, runbook: &str) -> bool {
        let named = |list: &[String], name: &str| list.is_empty() || list.iter().any(|one| one == name);
        (self.verbs.is_empty() || self.verbs.contains(&verb))
            && named(&self.targets, target)
            && named(&self.runbooks, runbook)
    }
}

/// A time of production on a faster clock.
fn scaled(time: Duration, speed: u32) -> chrono::TimeDelta {
    chrono::TimeDelta::from_std(time / speed.max(1)).unwrap_or(chrono::TimeDelta::MAX)
}
