//! Why a call failed, in words that a person can act on: which address, what went wrong, what to do next.

use std::path::PathBuf;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The peer cannot be reached.
    #[error("{url}: {cause}; {next}")]
    Unreachable {
        /// The URL that was called.
        url: String,
        /// The innermost cause.
        cause: String,
        /// What to do about it.
        next: String,
    },
    /// The peer refused; its message says what to do.
    #[error("{said} ({url}: {status}){}", lines(fields))]
    Refused {
        /// The URL that was called.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The peer's message: the detail of a problem (RFC 9457), or the body.
        said: String,
        /// The problem's messages about individual fields.
        fields: Vec<(String, String)>,
    },
    /// The response does not have the format of this kind of peer.
    #[error("{url}: the response cannot be read: {what}; {next}")]
    Odd {
        /// The URL that was called.
        url: String,
        /// What is wrong with it.
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

/// Each on its own line. A response may repeat what others sent, so line breaks in it are escaped.
fn lines(fields: &[(String, String)]) -> String {
    fields.iter().map(|(name, expected)| format!("\n  {name}: {expected}")).collect()
}

/// Untrusted text as one line.
pub(crate) fn one_line(text: &str) -> String {
    text.trim().replace('\r', "\\r").replace('\n', "\\n")
}
