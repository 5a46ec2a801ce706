//! The result of a check, for people and for scripts.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

/// How many violations of one kind are listed by id; the others are only counted.
const LISTED: usize = 5;

/// The contents of the databases.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Orders by status.
    pub orders: BTreeMap<String, u64>,
    /// Payments by status.
    pub payments: BTreeMap<String, u64>,
    /// Sum of the completed orders, in cents.
    pub completed_cents: i64,
    /// Orders that were accepted and do not exist, or were settled without a decision about their payment.
    pub lost: usize,
    /// Orders that were stored or paid more than once, or paid without being stored; keys with more than one order.
    pub doubled: usize,
    /// Violated invariants, one sentence each, including lost and doubled orders; empty if all hold.
    pub violations: Vec<String>,
}

impl Report {
    /// Whether every invariant holds.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.violations.is_empty()
    }

    pub(crate) fn violated<'a>(&mut self, what: &str, ids: impl Iterator<Item = &'a str>) -> usize {
        let ids: Vec<&str> = ids.collect();
        if !ids.is_empty() {
            let shown: Vec<&str> = ids.iter().take(LISTED).copied().collect();
            self.violations.push(format!("{} {what}: {}", ids.len(), shown.join(", ")));
        }
        ids.len()
    }

    pub(crate) fn lost<'a>(&mut self, what: &str, ids: impl Iterator<Item = &'a str>) {
        self.lost += self.violated(what, ids);
    }

    pub(crate) fn doubled<'a>(&mut self, what: &str, ids: impl Iterator<Item = &'a str>) {
        self.doubled += self.violated(what, ids);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "orders {:?}, payments {:?}, {} cents completed",
            self.orders, self.payments, self.completed_cents
        )?;
        self.violations.iter().try_for_each(|violation| writeln!(f, "violated: {violation}"))
    }
}
