//! Bad ones among all.

use serde::{Deserialize, Serialize};

/// How many there were, and how many of them were bad.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// The bad ones.
    pub bad: u64,
    /// All of them.
    pub all: u64,
}

impl Count {
    /// The count of both; more bad ones than all count as all.
    pub fn add(&mut self, other: Self) {
        self.all = self.all.saturating_add(other.all);
        self.bad = self.bad.saturating_add(other.bad.min(other.all));
    }

    /// The share of the bad ones, from 0 to 1; none of nothing.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        (self.all > 0).then(|| self.bad.min(self.all) as f64 / self.all as f64)
    }
}
