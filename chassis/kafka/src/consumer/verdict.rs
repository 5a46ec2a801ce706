//! A handler's verdict on a message, and its cause.

use std::time::Duration;

/// What to do with a message after handling. The only input of the commit decision (`decide.rs`).
#[derive(Debug)]
pub enum Verdict {
    /// Done: commit.
    Done,
    /// Try this message again after a pause, at most [`super::Subscription::max_attempts`] times, then dead-letter it.
    Retry {
        /// The pause.
        after: Duration,
        /// Why.
        cause: Cause,
    },
    /// Try this message again until it succeeds: the cause is a dependency, not the message.
    Blocked {
        /// The first pause; it doubles with each attempt up to 5 s.
        after: Duration,
        /// Why.
        cause: Cause,
    },
    /// Can never succeed: publish to the dead-letter topic with the reason and commit.
    DeadLetter {
        /// One of a few words, because it is a metric label.
        reason: &'static str,
        /// Why.
        cause: Cause,
    },
}

/// Why a message was not handled: a sentence for the log and the dead letter, never a value of the message, and the error of the
/// database if that was the cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    pub(super) text: String,
    pub(super) sqlstate: Option<String>,
}

impl Cause {
    /// The SQLSTATE, if the database was the cause.
    #[must_use]
    pub fn with_sqlstate(self, sqlstate: Option<String>) -> Self {
        Self { sqlstate, ..self }
    }
}

impl From<String> for Cause {
    fn from(text: String) -> Self {
        Self { text, sqlstate: None }
    }
}

impl From<&str> for Cause {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}
