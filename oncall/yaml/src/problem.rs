//! A mistake in a file that a person wrote, and its place.

use std::fmt;

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {field}: {message}")]
pub struct Problem {
    /// The file, as it was named.
    pub file: String,
    /// Counted from 1.
    pub line: u64,
    /// Path of the field: `spec.objectives[0].target`.
    pub field: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// All problems; at least one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.0.iter().map(ToString::to_string).collect::<Vec<_>>();
        f.write_str(&lines.join("\n"))
    }
}
