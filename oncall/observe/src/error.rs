//! Why there is no answer, in words that a person can act on: which address, what went wrong, what to do next.

use std::path::PathBuf;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody answers there.
    #[error("{url}: {cause}; {next}")]
    Unreachable {
        /// What was called.
        url: String,
        /// The innermost reason.
        cause: String,
        /// What to do about it.
        next: String,
    },
    /// The peer refuses; what it says is what to do next.
    #[error("{said} ({url}: {status}){}", lines(fields))]
    Refused {
        /// What was called.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What the peer said: the sentence of a problem (RFC 9457), or its words.
        said: String,
        /// What a problem says about single fields.
        fields: Vec<(String, String)>,
    },
    /// The answer is of another kind than the peer's.
    #[error("{url}: the answer cannot be read: {what}; {next}")]
    Odd {
        /// What was called.
        url: String,
        /// What is odd about it.
        what: String,
        /// What to do about it.
        next: String,
    },
    /// There are no log files.
    #[error("no logs in {}: start a lab with `lab up`, or name its folder", .0.display())]
    NoLogs(PathBuf),
    /// A part that has no log.
    #[error("`{part}` has no log; there are: {known}")]
    NoLog {
        /// The part.
        part: String,
        /// Those that have one.
        known: String,
    },
}

/// Each on a line of its own. An answer repeats what somebody sent: it begins no line of its own.
fn lines(fields: &[(String, String)]) -> String {
    fields.iter().map(|(name, expected)| format!("\n  {name}: {expected}")).collect()
}

/// One line of somebody else's text.
pub(crate) fn one_line(text: &str) -> String {
    text.trim().replace('\r', "\\r").replace('\n', "\\n")
}
