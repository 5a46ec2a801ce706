//! Why a file is refused: every mistake with its place, so that one reading finds all of them.

use std::fmt;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, such as `panels[3] "Latency": options.legend.placement`.
    pub place: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// All mistakes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The file.
    pub file: String,
    /// At least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            let line = if at == 0 { "" } else { "\n" };
            write!(f, "{line}{}: {}: {}", self.file, problem.place, problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
