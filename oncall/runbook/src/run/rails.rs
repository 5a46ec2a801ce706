//! What the guardrails say about the current act, and when they are asked once more.

use chrono::{DateTime, Utc};

use super::{Ending, Next, Run};
use crate::{Decision, Verdict, model::Task};

impl Run {
    /// What to decide once more after a crash, as [`Next::Decide`]: an act that was allowed and has not begun. What the
    /// guardrails said then may not hold now.
    #[must_use]
    pub fn undecided(&self) -> Option<Next> {
        let Next::Act { place, change, begun: None } = self.next() else { return None };
        Some(Next::Decide { place, change, approved: self.approved, undo: self.takes_back() })
    }

    /// Whether the current change takes an act back.
    pub(super) fn takes_back(&self) -> bool {
        self.undoing.is_some() || matches!(self.task(), Some(Task::Undo { .. }))
    }

    /// Whether the current act was decided once more: it counts since it was decided first.
    pub(crate) const fn decided_again(&self) -> bool {
        self.here.again
    }

    /// The guardrails have decided about the current act.
    pub(super) fn decided(&mut self, at: DateTime<Utc>, decision: &Decision) {
        match decision.verdict {
            Verdict::Allow | Verdict::Ask => {
                self.here.again = self.here.decision.is_some();
                self.here.decision = Some(decision.clone());
            }
            Verdict::Recommend | Verdict::Deny => {
                self.fail(at, Ending::Recommended, decision.reasons.join("; "));
            }
        }
    }
}
