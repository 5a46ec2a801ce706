//! Inbox: remembers handled event ids in the handler's own transaction, so that a redelivered message has no second effect.

use std::collections::HashSet;

use uuid::Uuid;

use chassis_postgres::{Connection, DbError};

/// The table that [`record`] works on; the service's migrations create it.
pub const INBOX_DDL: &str = "
CREATE TABLE inbox (
    consumer    text        NOT NULL,
    event_id    uuid        NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id)
);
";

/// SQL that records the events in the parameter `$events` (`uuid[]`) for the consumer in `$consumer` (`text`), and returns those
/// that are new as `event_id`. Part of a larger statement, as one of its `WITH` queries.
#[macro_export]
macro_rules! record {
    ($consumer:literal, $events:literal) => {
        concat!(
            "INSERT INTO inbox (consumer, event_id) SELECT ",
            $consumer,
            ", event_id FROM unnest(",
            $events,
            "::uuid[]) AS event (event_id) ON CONFLICT DO NOTHING RETURNING event_id"
        )
    };
}

/// Records these events and returns which of them are new; the others were handled before.
///
/// While another transaction is handling one of them, this waits until that one has ended, so the second learns
/// whether the first succeeded.
///
/// # Errors
/// [`DbError`]; [`DbError::Conflict`] if two transactions with several common events wait for each other.
pub async fn record(
    conn: &mut Connection,
    consumer: &str,
    event_ids: &[Uuid],
) -> Result<HashSet<Uuid>, DbError> {
    let new = sqlx::query_scalar(record!("$1", "$2")).bind(consumer).bind(event_ids).fetch_all(conn).await?;
    Ok(new.into_iter().collect())
}
