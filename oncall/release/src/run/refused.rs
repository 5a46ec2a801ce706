//! Why something cannot be done with a release.

/// Why an event is not taken. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The plan cannot be done.
    #[error("{0}")]
    Plan(String),
    /// It does not fit what is next.
    #[error("{what} does not fit: {next}")]
    Unexpected {
        /// The event.
        what: &'static str,
        /// What was expected.
        next: String,
    },
    /// A text that people need is empty.
    #[error("`{0}` is empty")]
    Empty(&'static str),
    /// The release is over.
    #[error("the release is over: {0}")]
    Over(String),
}
