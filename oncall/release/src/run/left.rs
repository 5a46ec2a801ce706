//! Is the service as a release has left it? A control room that was restored from an older backup continues a release that is long
//! over, and must not take back what came after it.

use super::{Goal, Phase, Run};
use crate::fleet::Crew;

impl Run {
    /// What runs in place of everything that this release can have left so far, in a sentence; none if `crew` is as it left it.
    /// A step that was made without a record, because of a crash, is one that it can have left.
    #[must_use]
    pub fn overtaken(&self, crew: &Crew) -> Option<String> {
        let whole = self.passed.len() >= self.plan.judged();
        // Whether the old version alone, the old one with the canary, or the new one alone is possible now.
        let (before, during, after) = match &self.phase {
            Phase::Commit(Goal::Step(0)) => (true, true, false),
            Phase::Commit(Goal::Step(_))
            | Phase::Settle(Goal::Step(_))
            | Phase::Watch { .. }
            | Phase::Held { frozen: false, .. } => (false, true, false),
            Phase::Held { frozen: true, .. } => (false, true, whole),
            Phase::Commit(Goal::Promote) => (false, true, true),
            Phase::Settle(Goal::Promote) => (false, false, true),
            Phase::Commit(Goal::Revert { .. }) | Phase::Settle(Goal::Revert { .. }) => (true, true, whole),
            Phase::Ended(_) => return None,
        };
        let (old, new) = (&self.plan.old, &self.plan.new);
        let trial = crew.canary.as_ref().map(|trial| &trial.version.name);
        let possible = match trial {
            None => (before && crew.version.name == *old) || (after && crew.version.name == *new),
            Some(trial) => during && crew.version.name == *old && trial == new,
        };
        if possible {
            return None;
        }
        let canary = trial.map_or_else(String::new, |trial| format!(" with the canary {trial}"));
        Some(format!(
            "{} runs {}{canary}, and this release did not do that: perhaps the control room was restored from a backup",
            self.plan.service, crew.version.name
        ))
    }
}
