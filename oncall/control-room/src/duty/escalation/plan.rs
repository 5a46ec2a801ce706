//! The policy that an incident's escalation follows: chosen once and kept, so that a changed file changes only
//! escalations that begin later.

use chrono::{DateTime, Utc};
use incident::{Id, Severity};
use rota::{
    Escalation, Policy, Rota, Step,
    escalation::{Event, StepId},
};
use serde::{Deserialize, Serialize};

use super::course::{Begin, Course};

/// A step that has been handed over, and when.
pub(super) type Sent = (StepId, DateTime<Utc>);

/// The column `policy` of `escalations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    /// When it begins.
    pub(super) begins: DateTime<Utc>,
    /// Only events with larger numbers in the journal move it.
    pub(super) after: i64,
    /// The first part of the ids of its steps.
    pub(super) generation: u32,
    /// The severity for which the policy was chosen.
    pub(super) severity: Severity,
    /// Begins acknowledged.
    pub(super) held: bool,
    /// The policy, if there was one.
    pub(super) policy: Option<Policy>,
}

impl Plan {
    fn new(begin: Begin, severity: Severity, sent: &[Sent], rota: &Rota) -> Self {
        // Ids are never used again, not even after a reopening.
        let generation = sent.iter().map(|(step, _)| step.generation.saturating_add(1)).max().unwrap_or(0);
        let policy = rota.policy(severity.number()).cloned();
        Self { begins: begin.at, after: begin.seq, generation, severity, held: begin.held, policy }
    }

    /// The plan to keep instead of the stored one; none if that one holds.
    ///
    /// A severity that changes before anything was sent takes its own policy. A worse one takes it later, too, because
    /// those who heard of a ticket have not been paged; but a person who works on the incident and says that it is
    /// worse than it looked is not paged for that.
    pub(super) fn instead(
        stored: Option<&Self>,
        course: &Course,
        sent: &[Sent],
        rota: &Rota,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let fresh = |begin| Some(Self::new(begin, course.severity, sent, rota));
        let Some(stored) = stored.filter(|stored| stored.after >= course.begin.seq) else {
            return fresh(course.begin);
        };
        let anew = Begin { seq: course.last, at: now, held: false };
        let policy = rota.policy(course.severity.number());
        let Some(followed) = &stored.policy else {
            // The file has got one meanwhile, or now it has none for another severity.
            let anew = Begin { held: course.acknowledged.is_some(), ..anew };
            return if policy.is_some() || stored.severity != course.severity { fresh(anew) } else { None };
        };
        if stored.severity == course.severity {
            return None;
        }
        if !sent.iter().any(|(step, _)| step.generation >= stored.generation) {
            return Some(Self { severity: course.severity, policy: policy.cloned(), ..stored.clone() });
        }
        let worse = course.severity < stored.severity;
        let other = policy.is_some_and(|policy| policy.name != followed.name);
        let taken = course.acknowledged.is_some() && !course.raised_by_rule;
        if worse && other && !taken { fresh(anew) } else { None }
    }

    /// The escalation as it is after all events; none without a policy.
    pub(super) fn escalation(
        &self,
        id: Id,
        course: &Course,
        sent: &[Sent],
        speed: u32,
    ) -> Option<Escalation> {
        let at = self.begins;
        let mut escalation =
            Escalation::new(self.policy.clone()?, at, id.0, speed).from_generation(self.generation);
        if self.held {
            escalation.apply(&Event::Acknowledged { at });
        }
        for (_, event) in course.events.iter().filter(|(seq, _)| *seq > self.after) {
            escalation.apply(event);
        }
        for (step, _) in sent {
            // What was sent moves nothing, so its time does not count: the clock may have been set since.
            escalation.apply(&Event::Sent { at, step: *step });
        }
        Some(escalation)
    }

    /// Whether it is moved by alerts.
    pub(super) fn counts_alerts(&self) -> bool {
        let mut steps = self.policy.iter().flat_map(|policy| &policy.steps);
        steps.any(|step| matches!(step, Step::OnlyAfter { .. }))
    }

    /// Whether the acknowledgement that holds is older than the plan, so that it does not hold it.
    pub(super) fn outlives(&self, acknowledged: i64) -> bool {
        !self.held && acknowledged <= self.after
    }

    /// Whether a step of this generation has notified before.
    pub(super) fn notified(&self, generation: u32, sent: &[Sent]) -> bool {
        let notifies = |step: &StepId| {
            let mut steps = self.policy.iter().flat_map(|policy| &policy.steps);
            matches!(steps.nth(step.step as usize), Some(Step::Notify(_)))
        };
        sent.iter().any(|(step, _)| step.generation == generation && notifies(step))
    }
}
