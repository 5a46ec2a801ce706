//! May a release begin? Not while an error budget is spent, unless somebody says so, by name and with a reason. One that is
//! under way asks again before each further step: [`Run::ahead`](crate::Run::ahead).
//!
//! Only the way forward is frozen: to abort and to roll back is always possible.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What is left of the budget of an objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// The objective.
    pub slo: String,
    /// 1 is all of it, 0 or less is none; nothing if nobody knows.
    pub remaining: Option<f64>,
}

/// Somebody lets releases through a freeze.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
}

/// Whether a release may begin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "gate", rename_all = "lowercase")]
pub enum Gate {
    /// It may.
    Open,
    /// It may although it is frozen.
    Overridden {
        /// Who says so.
        by: String,
        /// Their reason.
        why: String,
        /// What freezes it.
        frozen: String,
    },
    /// It may not.
    Frozen {
        /// Why.
        why: String,
    },
}

impl Gate {
    /// Whether a release may begin.
    #[must_use]
    pub fn lets(&self) -> bool {
        !matches!(self, Self::Frozen { .. })
    }
}

/// Whether a release may begin at `now`. A budget that nobody knows is not a budget that is left.
#[must_use]
pub fn gate(budgets: &[Budget], overrides: &[Override], now: DateTime<Utc>) -> Gate {
    let reason = |budget: &Budget| match budget.remaining.filter(|left| left.is_finite()) {
        Some(left) if left > 0.0 => None,
        Some(left) => Some(format!("{} has {:.1} % of its budget left", budget.slo, left * 100.0)),
        None => Some(format!("nobody knows the budget of {}", budget.slo)),
    };
    let mut reasons: Vec<String> = budgets.iter().filter_map(reason).collect();
    if budgets.is_empty() {
        reasons.push("nobody knows any budget".to_owned());
    }
    if reasons.is_empty() {
        return Gate::Open;
    }
    let frozen = reasons.join("; ");
    let sound = |text: &str| !text.trim().is_empty();
    let holds = |one: &&Override| (one.from..one.until).contains(&now) && sound(&one.by) && sound(&one.why);
    match overrides.iter().rev().find(holds) {
        Some(Override { by, why, .. }) => Gate::Overridden { by: by.clone(), why: why.clone(), frozen },
        None => Gate::Frozen { why: frozen },
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn budget(remaining: Option<f64>) -> Budget {
        Budget { slo: "order-api-availability".to_owned(), remaining }
    }

    fn now() -> DateTime<Utc> {
        "2026-11-29T12:00:00Z".parse().unwrap()
    }

    fn said(by: &str, why: &str) -> Override {
        let (from, until) = (now() - TimeDelta::minutes(5), now() + TimeDelta::minutes(5));
        Override { by: by.to_owned(), why: why.to_owned(), from, until }
    }

    #[test]
    fn a_spent_budget_freezes_and_an_unknown_one_too() {
        assert_eq!(gate(&[budget(Some(0.4)), budget(Some(0.01))], &[], now()), Gate::Open);
        for frozen in [vec![], vec![budget(Some(0.0))], vec![budget(None)], vec![budget(Some(f64::NAN))]] {
            assert!(!gate(&frozen, &[], now()).lets(), "{frozen:?}");
        }
        let Gate::Frozen { why } = gate(&[budget(Some(0.5)), budget(Some(-0.25))], &[], now()) else {
            panic!("not frozen");
        };
        assert_eq!(why, "order-api-availability has -25.0 % of its budget left");
    }

    #[test]
    fn an_override_has_a_name_a_reason_and_an_end() {
        let spent = [budget(Some(0.0))];
        let gate = |one: Override, at: DateTime<Utc>| gate(&spent, &[one], at);
        assert!(gate(said("ada", "repairs the outage"), now()).lets());
        assert!(!gate(said("ada", "repairs the outage"), now() + TimeDelta::minutes(5)).lets());
        assert!(!gate(said("ada", " "), now()).lets());
        assert!(!gate(said("", "repairs the outage"), now()).lets());
    }

    proptest! {
        #[test]
        fn without_an_override_the_gate_is_open_exactly_while_every_budget_is_left(
            left in prop::collection::vec(prop::option::of(-1.0..1.0_f64), 1..5),
        ) {
            let budgets: Vec<Budget> = left.iter().map(|left| budget(*left)).collect();
            let open = left.iter().all(|left| left.is_some_and(|left| left > 0.0));
            prop_assert_eq!(gate(&budgets, &[], now()) == Gate::Open, open);
        }
    }
}
