//! What a handler says about a message, and why.

use std::time::Duration;

use crate::db::DbError;

/// What to do with a message after handling. The one place where commits are decided reads this.
#[derive(Debug)]
pub enum Verdict {
    /// Done: commit.
    Done,
    /// Try this message again after a pause, at most [`super::ConsumerConfig::max_attempts`] times, then dead-letter it.
    Retry {
        /// The pause.
        after: Duration,
        /// Why.
        cause: Cause,
    },
    /// Try this message again until it works: the cause is a dependency, not the message.
    Blocked {
        /// The first pause; it doubles with each attempt up to 5 s.
        after: Duration,
        /// Why.
        cause: Cause,
    },
    /// Never going to work: publish to the dead-letter topic with the reason and commit.
    DeadLetter {
        /// One of a few words: a metric label.
        reason: &'static str,
        /// Why.
        cause: Cause,
    },
}

/// Why a message was not handled: a sentence for the log and the dead letter, never a value of the message, and what the
/// database said where it was the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    pub(super) text: String,
    pub(super) sqlstate: Option<String>,
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

impl From<&DbError> for Cause {
    fn from(error: &DbError) -> Self {
        Self { text: error.to_string(), sqlstate: error.sqlstate() }
    }
}

/// Pause before a message is tried again while the database is away.
const BLOCKED_FOR: Duration = Duration::from_millis(500);
/// Pause before a lost conflict is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(50);
/// Reason of a message whose values the database refuses.
pub(super) const REFUSED_BY_DATABASE: &str = "refused-by-database";

/// The one place where a database error becomes a decision about the message that met it.
///
/// What the message cannot help blocks its partition until it works: nothing is lost because a database was away, or because
/// a statement of ours is wrong until the next release. What is the message's own fault never works, and would block forever
/// all that come after it.
impl From<&DbError> for Verdict {
    fn from(error: &DbError) -> Self {
        let cause = Cause::from(error);
        match error {
            // Another transaction may have got there first; the next attempt sees what it left.
            DbError::Conflict(_) | DbError::Duplicate { .. } => Self::Retry { after: RETRY_AFTER, cause },
            DbError::Data { .. } => Self::DeadLetter { reason: REFUSED_BY_DATABASE, cause },
            DbError::PoolTimeout | DbError::Unavailable(_) | DbError::Other(_) => {
                Self::Blocked { after: BLOCKED_FOR, cause }
            }
        }
    }
}
