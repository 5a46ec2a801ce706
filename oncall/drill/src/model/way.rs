//! How a rule of the firewall reaches the edges.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How a rule is pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// To every edge at once.
    #[default]
    AtOnce,
    /// To one edge first, for this long. That has to stop it: it costs too much there, and is taken back.
    OneFirst(Duration),
    /// Its cases are tried before any request of a customer meets it. They have to stop it.
    Staged,
}
