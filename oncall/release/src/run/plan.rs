//! What a release is meant to do.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Refused;
use crate::Policy;

/// Percent of the requests, step by step, as most releases go.
pub const STEPS: [u32; 4] = [5, 25, 50, 100];
/// Most that canary and baseline can have each.
const MOST: u32 = 50;

/// A release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Its id: a word.
    pub id: String,
    /// The service.
    pub service: String,
    /// The version that runs now.
    pub old: String,
    /// The version to release.
    pub new: String,
    /// Percent of the requests that the new version gets, step by step; the last one is 100. At each other one, the
    /// baseline gets as much as the canary.
    pub steps: Vec<u32>,
    /// How each step is judged.
    pub policy: Policy,
    /// Who wants it.
    pub by: String,
    /// What for.
    pub why: String,
    /// Who lets all of it through a freeze, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<(String, String)>,
    /// When its change was written, if nothing else says so: the start of the lead time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<DateTime<Utc>>,
}

impl Plan {
    /// Whether it can be done.
    ///
    /// # Errors
    /// [`Refused::Plan`] with a sentence.
    pub fn check(&self) -> Result<(), Refused> {
        let refused = |why: String| Err(Refused::Plan(why));
        let texts = [
            ("id", &self.id),
            ("service", &self.service),
            ("old", &self.old),
            ("new", &self.new),
            ("by", &self.by),
        ];
        if let Some((name, _)) = texts.iter().find(|(_, text)| text.trim().is_empty()) {
            return refused(format!("`{name}` is empty"));
        }
        if self.old == self.new {
            return refused(format!("{} already runs {}", self.service, self.new));
        }
        let Some((last, canaries)) = self.steps.split_last() else {
            return refused("there are no steps: expected percents such as 5, 25, 50, 100".to_owned());
        };
        let sound = *last == 100
            && !canaries.is_empty()
            && self.steps.is_sorted_by(|one, next| one < next)
            && canaries.iter().all(|weight| (1..=MOST).contains(weight));
        if !sound {
            let found = self.steps.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
            return refused(format!(
                "expected steps that rise, at least one from 1 to {MOST} percent and then 100, found {found}"
            ));
        }
        Ok(())
    }

    /// How many steps are judged: all but the last one.
    #[must_use]
    pub fn judged(&self) -> usize {
        self.steps.len().saturating_sub(1)
    }

    /// The percent of a judged step.
    #[must_use]
    pub fn weight(&self, step: usize) -> Option<u32> {
        self.steps.get(..self.judged())?.get(step).copied()
    }
}
