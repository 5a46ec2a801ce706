//! What is next for a release.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Goal, Phase, Run, What};
use crate::{Opinion, Verdict};

/// The next thing to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// If [`Run::ahead`] lets it, make this commit, then record [`What::Committed`]. A commit with this key may be there
    /// already: look for it first.
    Commit {
        /// What finds it again after a crash; it belongs in the message.
        key: String,
        /// What it changes.
        change: Change,
        /// Its subject and, after an empty line, its body.
        message: String,
    },
    /// Record [`What::Settled`] as soon as the newest commit is in force.
    Settle {
        /// Until then.
        until: DateTime<Utc>,
    },
    /// Record [`What::Measured`] again and again.
    Look {
        /// Percent of the requests that the canary has.
        weight: u32,
        /// Since when.
        since: DateTime<Utc>,
    },
    /// Wait for a person: [`What::Continued`] or [`What::Aborted`]. Record [`What::Measured`] meanwhile: a canary that gets
    /// worse waits for nobody.
    Hold {
        /// Why nobody else can decide.
        why: String,
        /// Then it is rolled back.
        until: DateTime<Utc>,
    },
    /// Record this now.
    Note(Box<What>),
    /// Nothing.
    Ended(End),
}

/// What a commit does to the desired state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Canary and baseline of a service get this percent of its requests each.
    Canary {
        /// The service.
        service: String,
        /// The new version.
        version: String,
        /// Percent.
        weight: u32,
    },
    /// The service is of this version, without canary and baseline.
    Promote {
        /// The service.
        service: String,
        /// The new version.
        version: String,
    },
    /// These commits are taken back, the last one first.
    Revert {
        /// Their ids, the first one first.
        commits: Vec<String>,
        /// The key of one more commit that may have been made.
        unsure: Option<String>,
    },
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum How {
    /// The new version has every request.
    Released,
    /// It was worse, did not start, or nobody could say; the old version has every request.
    RolledBack,
    /// A person stopped it; the old version has every request.
    Aborted,
    /// It should have been taken back, and that did not succeed: a person has to look.
    Stuck,
}

/// The end of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When.
    pub at: DateTime<Utc>,
    /// How.
    pub how: How,
    /// In a sentence.
    pub why: String,
}

impl Run {
    /// The next thing to do at `now`. The same events and the same time give the same answer.
    #[must_use]
    pub fn next(&self, now: DateTime<Utc>) -> Next {
        match &self.phase {
            Phase::Commit(goal) => self.commit(goal),
            Phase::Settle(_) => self.wait(now, self.plan.policy.settle, |until| Next::Settle { until }),
            Phase::Watch { step, judge } => {
                let opinion = judge.opinion(now);
                let patience = later(self.since, self.plan.policy.patience);
                let decided = opinion.verdict != Verdict::Inconclusive && !self.plan.policy.by_hand;
                if decided || now >= patience {
                    return Next::Note(Box::new(What::Judged { opinion }));
                }
                Next::Look { weight: self.plan.weight(*step).unwrap_or_default(), since: self.since }
            }
            Phase::Held { why, .. } => {
                let opinion = self.last.as_ref().map(|judge| judge.opinion(now));
                let worse = |opinion: &Opinion| opinion.verdict == Verdict::Fail && !self.plan.policy.by_hand;
                if let Some(opinion) = opinion.filter(worse) {
                    return Next::Note(Box::new(What::Judged { opinion }));
                }
                let hold = |until| Next::Hold { why: why.clone(), until };
                self.wait(now, self.plan.policy.person, hold)
            }
            Phase::Ended(end) => Next::Ended(end.clone()),
        }
    }

    /// Something that has to come within a time.
    fn wait(
        &self,
        now: DateTime<Utc>,
        time: std::time::Duration,
        next: impl FnOnce(DateTime<Utc>) -> Next,
    ) -> Next {
        let until = later(self.since, time);
        if now >= until { Next::Note(Box::new(What::Expired)) } else { next(until) }
    }

    fn commit(&self, goal: &Goal) -> Next {
        let plan = &self.plan;
        let (service, version) = (plan.service.clone(), plan.new.clone());
        let (change, subject, body) = match goal {
            Goal::Step(step) => {
                let weight = plan.weight(*step).unwrap_or_default();
                let subject = format!("Release {service} {version}: canary {weight} %");
                let body = match self.passed.last() {
                    Some(passed) => format!("Before, at {} %: {}", passed.weight, passed.opinion.why),
                    None => plan.why.clone(),
                };
                (Change::Canary { service, version, weight }, subject, body)
            }
            Goal::Promote => {
                let subject = format!("Release {service} {version}");
                let body = self.passed.last().map(|passed| passed.opinion.why.clone()).unwrap_or_default();
                (Change::Promote { service, version }, subject, body)
            }
            Goal::Revert { why, unsure, .. } => {
                let subject = format!("Roll {service} back to {}", plan.old);
                let change = Change::Revert { commits: self.commits.clone(), unsure: unsure.clone() };
                (change, subject, why.clone())
            }
        };
        let key = self.key(goal);
        let trailers = format!("Release: {}\nKey: {key}\nBy: {}", plan.id, plan.by);
        Next::Commit { key, change, message: format!("{subject}\n\n{body}\n\n{trailers}\n") }
    }

    /// What finds the commit of a goal again.
    pub(super) fn key(&self, goal: &Goal) -> String {
        let id = &self.plan.id;
        match goal {
            Goal::Step(step) => format!("{id}/step-{}", step + 1),
            Goal::Promote => format!("{id}/promote"),
            Goal::Revert { .. } => format!("{id}/revert"),
        }
    }
}

/// `time` after `from`; a time too long for a calendar is as good as forever.
pub(super) fn later(from: DateTime<Utc>, time: std::time::Duration) -> DateTime<Utc> {
    let time = TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX);
    from.checked_add_signed(time).unwrap_or(DateTime::<Utc>::MAX_UTC)
}
