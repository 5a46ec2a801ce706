//! What proves a drill.

use std::time::Duration;

use super::Check;
use crate::names::Invariant;

/// Something that must be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// For people.
    pub name: String,
    /// PromQL that returns something as soon as it is seen, and nothing before.
    pub query: String,
    /// After the injection.
    pub within: Duration,
}

/// Who must be paged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pages {
    /// Pages that must come.
    pub expected: Vec<Page>,
    /// Pages that may come. Any other page is a failure.
    pub allowed: Vec<String>,
    /// Alerts that must not notify anybody, tickets included.
    pub forbidden: Vec<String>,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The alert.
    pub alert: String,
    /// The service that it names.
    pub service: String,
    /// After the injection.
    pub within: Duration,
}

/// A node of the causal path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name in this drill.
    pub name: String,
    /// The service, or the store.
    pub service: String,
    /// The metric that deviates.
    pub metric: String,
    /// PromQL that returns something while it deviates, and nothing at the baseline.
    pub query: String,
    /// After the injection.
    pub within: Duration,
    /// The node that causes it; none for the cause itself.
    pub from: Option<String>,
}

/// When it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oracle {
    /// What is good for users.
    pub sli: Vec<Check>,
    /// How long it has to be.
    pub good_for: Duration,
    /// How long that may take after the last action.
    pub within: Duration,
    /// What must hold in the databases.
    pub invariants: Vec<Invariant>,
    /// Alerts that may still fire, because they look back.
    pub alerts_left: Vec<String>,
}
