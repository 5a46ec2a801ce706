//! What a database error means for the message that caused it.

use std::time::Duration;

use chassis_kafka::{Cause, Verdict};
use chassis_postgres::DbError;

/// Pause before a message is retried while the database is unavailable.
const BLOCKED_FOR: Duration = Duration::from_millis(500);
/// Pause before a retry after a lost conflict.
const RETRY_AFTER: Duration = Duration::from_millis(50);
/// Dead-letter reason of a message whose values the database refuses.
pub const REFUSED_BY_DATABASE: &str = "refused-by-database";

/// The one place where a database error becomes a decision about the message that caused it.
///
/// A cause outside the message blocks its partition until it is fixed: nothing is lost because a database was away, or
/// because one of our statements is wrong until the next release. A bad message never succeeds and would block
/// every later one forever.
#[must_use]
pub fn verdict(error: &DbError) -> Verdict {
    let cause = Cause::from(error.to_string()).with_sqlstate(error.sqlstate());
    match error {
        // Another transaction may have won; the next attempt sees its result.
        DbError::Conflict(_) | DbError::Duplicate { .. } => Verdict::Retry { after: RETRY_AFTER, cause },
        DbError::Data { .. } => Verdict::DeadLetter { reason: REFUSED_BY_DATABASE, cause },
        DbError::PoolTimeout | DbError::Unavailable(_) | DbError::Other(_) => {
            Verdict::Blocked { after: BLOCKED_FOR, cause }
        }
    }
}
