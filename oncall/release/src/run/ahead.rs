//! May a release that is under way make its next step? The error budgets are asked again before each one.

use chrono::{DateTime, Utc};

use super::{Goal, Phase, Run, next::later};
use crate::freeze::{Budget, Gate, gate};

/// Whether the way ahead is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ahead {
    /// The step may be made.
    Open,
    /// Nobody knows a budget: ask again soon, because Prometheus may be restarting.
    Unknown,
    /// It may not: record [`What::Frozen`](super::What::Frozen).
    Frozen {
        /// Why.
        why: String,
    },
}

impl Run {
    /// Whether what is next may be done at `now`, with what is left of the budgets of the service. Only a further step and the
    /// promotion can be frozen: the first step was asked about when the release began, and the way back is always open.
    ///
    /// A budget that nobody knows for as long as a step may take to settle freezes the release like one that is spent.
    #[must_use]
    pub fn ahead(&self, budgets: &[Budget], now: DateTime<Utc>) -> Ahead {
        if !self.can_freeze() {
            return Ahead::Open;
        }
        let Gate::Frozen { why } = gate(budgets, &[], now) else { return Ahead::Open };
        let spent = budgets.iter().any(|budget| budget.remaining.is_some_and(|left| left <= 0.0));
        if !spent && now < later(self.since, self.plan.policy.settle) {
            return Ahead::Unknown;
        }
        Ahead::Frozen { why }
    }

    /// Whether budgets count for what is next, and nobody has let it through.
    pub(super) fn can_freeze(&self) -> bool {
        let further = matches!(self.phase, Phase::Commit(Goal::Step(1..) | Goal::Promote));
        further && self.plan.over.is_none() && self.let_through != Some(self.passed.len())
    }
}
