//! What one pass of an experiment found.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{file::Check, hands::Deeds};
use crate::commands::chaos::eyes::Budgets;

/// Pause between two looks.
pub(super) const LOOK: Duration = Duration::from_secs(1);

/// How a pass ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Ending {
    /// Steady again.
    Steady,
    /// It was not healthy before, so nothing was done.
    Invalid,
    /// The condition to abort, the budget, or a person stopped it.
    Aborted,
    /// It did not become steady again in time.
    Lost,
}

/// A condition that did not hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Deviation {
    pub(super) name: String,
    pub(super) query: String,
    /// Seconds after the first step.
    pub(super) after: f64,
    /// Seconds altogether, as far as it was looked at.
    pub(super) lasted: f64,
    /// What came back at first.
    pub(super) seen: String,
}

/// One pass.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Pass {
    pub(super) ending: Ending,
    /// Why it was stopped, or what was not healthy.
    pub(super) why: Option<String>,
    /// When the first step began, and when the last one ended.
    pub(super) from: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
    pub(super) deviations: Vec<Deviation>,
    pub(super) alerts: Vec<String>,
    pub(super) burned: Budgets,
    /// Seconds from the end of the last step until everything was steady.
    pub(super) recovered_after: Option<f64>,
    /// Seconds from the first step until every condition held again, and stayed so; 0 if each held all the time,
    /// absent if one did not come back.
    pub(super) restored_after: Option<f64>,
    /// What automation did, if the experiment is about it.
    pub(super) deeds: Option<Deeds>,
}

impl Pass {
    /// One that has not begun; why it cannot, if it cannot.
    pub(super) fn before(why: Option<String>) -> Self {
        let now = Utc::now();
        Self {
            ending: Ending::Invalid,
            why,
            from: now,
            until: now,
            deviations: Vec::new(),
            alerts: Vec::new(),
            burned: Budgets::new(),
            recovered_after: None,
            restored_after: None,
            deeds: None,
        }
    }

    /// Seconds until everything held again, by the last look that did not find it so.
    pub(super) fn restored(&self, bad: Option<DateTime<Utc>>) -> f64 {
        bad.map_or(0.0, |bad| (bad - self.from).as_seconds_f64() + LOOK.as_secs_f64())
    }

    /// Notes that a condition does not hold.
    pub(super) fn deviate(&mut self, check: &Check, seen: String) {
        let after = (Utc::now() - self.from).as_seconds_f64();
        let step = LOOK.as_secs_f64();
        match self.deviations.iter_mut().find(|one| one.name == check.name) {
            Some(known) => known.lasted += step,
            None => {
                let (name, query) = (check.name.clone(), check.query.clone());
                self.deviations.push(Deviation { name, query, after, lasted: step, seen });
            }
        }
    }
}
