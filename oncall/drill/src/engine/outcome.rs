//! How a run ended.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Answers, Lap, Mode, Phase, Run, conditions::id};
use crate::Act;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Verdict {
    /// Everything came as stated, and the system recovered.
    Passed,
    /// Something did not.
    Failed,
    /// It proves nothing: the baseline was not healthy, a fault could not be set, or somebody else changed the system
    /// while the drill was proven.
    Invalid,
    /// Somebody, or the condition to abort, stopped it.
    Aborted,
    /// The time box ended before the system was good again.
    TimedOut,
}

/// A condition that was not met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// When.
    pub at: DateTime<Utc>,
    /// In which phase.
    pub phase: Phase,
    /// The condition.
    pub condition: String,
    /// The query, or what was asked.
    pub query: String,
    /// What was expected.
    pub expected: String,
    /// What was seen.
    pub seen: String,
}

/// A page or a ticket that somebody got during the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// When.
    pub at: DateTime<Utc>,
    /// The alert.
    pub alert: String,
    /// The service that it names.
    pub service: String,
    /// Whether it is a page; else a ticket.
    pub page: bool,
    /// Whether it fires; else it ended.
    pub firing: bool,
}

/// When something was seen for the first time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sighting {
    /// The signal or the node.
    pub name: String,
    /// What was asked.
    pub query: String,
    /// When it should have been seen, in seconds after the injection.
    pub within: f64,
    /// When it was, in seconds after the injection; none if never.
    pub seen: Option<f64>,
}

/// What a responder did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When the responder said that something is wrong.
    pub noticed: Option<DateTime<Utc>>,
    /// When the responder took it.
    pub acknowledged: Option<DateTime<Utc>>,
    /// Hints that were taken.
    pub hints: usize,
    /// The last answer.
    pub answers: Option<Answers>,
    /// Updates for others.
    pub updates: Vec<DateTime<Utc>>,
    /// Actions, in their order.
    pub acts: Vec<(DateTime<Utc>, Act)>,
    /// When the responder said that it is over.
    pub submitted: Option<DateTime<Utc>>,
    /// Share of an error budget that was burned.
    pub burned: Option<f64>,
}

/// How a run ended, and what was seen and done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The drill.
    pub drill: String,
    /// Who responded.
    pub mode: Mode,
    /// What decided what the faults hit.
    pub seed: u64,
    /// Whether the responder could know the solution.
    #[serde(default)]
    pub seen: bool,
    /// In one word.
    pub verdict: Verdict,
    /// Why it was stopped, or what was not met.
    pub failures: Vec<Failure>,
    /// When it started.
    pub started: DateTime<Utc>,
    /// When the first fault was set, or the baseline ended if there is none.
    pub injected: Option<DateTime<Utc>>,
    /// When users were affected for the first time.
    pub affected: Option<DateTime<Utc>>,
    /// Since when users were served again, for good.
    pub mitigated: Option<DateTime<Utc>>,
    /// When everything was good again.
    pub recovered: Option<DateTime<Utc>>,
    /// When the system was clean again.
    pub ended: DateTime<Utc>,
    /// Signals, and when they were seen.
    pub signals: Vec<Sighting>,
    /// The causal path, and when each node deviated.
    pub path: Vec<Sighting>,
    /// Who was notified.
    pub notices: Vec<Notice>,
    /// What the responder did.
    pub record: Record,
    /// Where the time went; empty in outcomes from before it was measured.
    #[serde(default)]
    pub laps: Vec<Lap>,
}

impl Outcome {
    /// The first page.
    #[must_use]
    pub fn paged(&self) -> Option<&Notice> {
        self.notices.iter().filter(|notice| notice.page && notice.firing).min_by_key(|notice| notice.at)
    }
}

impl Verdict {
    /// What it is after a reset that took too long.
    pub(super) const fn worse(self) -> Self {
        match self {
            Self::Passed => Self::Failed,
            other => other,
        }
    }
}

impl Run {
    /// How it ended; none before it has.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        let (verdict, ended) = (self.verdict?, self.ended?);
        let failed = self.sli().into_iter().filter_map(|id| self.watches.get(&id)?.failed);
        Some(Outcome {
            drill: self.drill.id.clone(),
            mode: self.start.mode.clone(),
            seed: self.start.seed,
            seen: self.start.seen,
            verdict,
            failures: self.failures.clone(),
            started: self.start.at,
            injected: self.injected,
            affected: failed.min(),
            mitigated: self.mitigated,
            recovered: self.recovered,
            ended,
            signals: self.sightings("signal"),
            path: self.sightings("path"),
            notices: self.notices.clone(),
            record: self.record.clone(),
            laps: self.laps(ended),
        })
    }

    fn sightings(&self, kind: &str) -> Vec<Sighting> {
        let drill = &*self.drill;
        let list: Vec<(&str, &str, Duration)> = if kind == "path" {
            drill.path.iter().map(|node| (node.name.as_str(), node.query.as_str(), node.within)).collect()
        } else {
            drill.signals.iter().map(|one| (one.name.as_str(), one.query.as_str(), one.within)).collect()
        };
        let seen = |index| Some((self.watches.first(&id(kind, index))? - self.injected?).as_seconds_f64());
        let list = list.into_iter().enumerate();
        list.map(|(index, (name, query, within))| Sighting {
            name: name.to_owned(),
            query: query.to_owned(),
            within: within.as_secs_f64(),
            seen: seen(index),
        })
        .collect()
    }
}
