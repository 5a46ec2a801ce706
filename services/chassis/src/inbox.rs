//! Inbox: remembers handled event ids in the handler's own transaction, so that a redelivered message has no second effect.

use uuid::Uuid;

use crate::db::{Connection, DbError};

/// The table that [`record`] works on; the service's migrations create it.
pub const INBOX_DDL: &str = "
CREATE TABLE inbox (
    consumer    text        NOT NULL,
    event_id    uuid        NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id)
);
";

/// Records `event_id`; `true` when it is new, `false` when it was handled before.
///
/// While another transaction is handling the same event, this waits until that one has ended: whoever comes second
/// learns whether the first succeeded.
///
/// # Errors
/// [`DbError`].
pub async fn record(conn: &mut Connection, consumer: &str, event_id: Uuid) -> Result<bool, DbError> {
    let recorded =
        sqlx::query("INSERT INTO inbox (consumer, event_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(consumer)
            .bind(event_id)
            .execute(conn)
            .await?;
    Ok(recorded.rows_affected() == 1)
}
