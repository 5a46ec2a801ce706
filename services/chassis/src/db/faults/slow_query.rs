//! `db-slow-query`: a query that works through many rows runs on the caller's connection first.

use super::{Connection, DbError};

/// Hashes and sorts `rows` rows on the server. Beyond the statement timeout, the server cancels it, and that is the
/// caller's error.
pub(super) async fn run(conn: &mut Connection, rows: u64) -> Result<(), DbError> {
    sqlx::query("SELECT md5(i::text) AS digest FROM generate_series(1, $1::bigint) AS i ORDER BY digest OFFSET $1 - 1")
        .bind(i64::try_from(rows).unwrap_or(i64::MAX))
        .execute(conn)
        .await?;
    Ok(())
}
