//! Who acts in a measurement.

use std::fmt;

use serde::Serialize;

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Way {
    /// A person who is guided, with scripted answers.
    Manual,
    /// The runbook by itself.
    Auto,
    /// Nobody, until the fault ends by itself.
    Nobody,
    /// It is not measured.
    Untried,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Manual => "manual",
            Self::Auto => "auto",
            Self::Nobody => "nobody",
            Self::Untried => "-",
        })
    }
}
