//! What a database error says about the message that met it.

use std::time::Duration;

use chassis_kafka::{Cause, Verdict};
use chassis_postgres::DbError;

/// Pause before a message is tried again while the database is away.
const BLOCKED_FOR: Duration = Duration::from_millis(500);
/// Pause before a lost conflict is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(50);
/// Reason of a message whose values the database refuses.
pub const REFUSED_BY_DATABASE: &str = "refused-by-database";

/// The one place where a database error becomes a decision about the message that met it.
///
/// What the message cannot help blocks its partition until it works: nothing is lost because a database was away, or because
/// a statement of ours is wrong until the next release. What is the message's own fault never works, and would block forever
/// all that come after it.
#[must_use]
pub fn verdict(error: &DbError) -> Verdict {
    let cause = Cause::from(error.to_string()).with_sqlstate(error.sqlstate());
    match error {
        // Another transaction may have got there first; the next attempt sees what it left.
        DbError::Conflict(_) | DbError::Duplicate { .. } => Verdict::Retry { after: RETRY_AFTER, cause },
        DbError::Data { .. } => Verdict::DeadLetter { reason: REFUSED_BY_DATABASE, cause },
        DbError::PoolTimeout | DbError::Unavailable(_) | DbError::Other(_) => {
            Verdict::Blocked { after: BLOCKED_FOR, cause }
        }
    }
}
