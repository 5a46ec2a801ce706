//! `db-slow-query`: a report over the main table, minute by minute, runs on the caller's connection first, as after somebody
//! put a statistic into the path of requests.

use sqlx::AssertSqlSafe;

use super::{Connection, DbError, DbTargets};

/// Works through the last `minutes` minutes and the whole table. Beyond the statement timeout, the server cancels it, and
/// that is the caller's error.
pub(super) async fn run(conn: &mut Connection, targets: &DbTargets, minutes: u64) -> Result<(), DbError> {
    sqlx::query(AssertSqlSafe(report(targets)))
        .bind(i64::try_from(minutes).unwrap_or(i64::MAX))
        .execute(conn)
        .await?;
    Ok(())
}

/// The busiest minutes. What it costs hangs on `$1`, not on what is in the table: an outer join of both sides can only be
/// done by a hash or a merge, never by a loop in a loop.
fn report(targets: &DbTargets) -> String {
    let DbTargets { table, created, .. } = targets;
    format!(
        "WITH RECURSIVE minutes (n, at) AS (
             SELECT 1::bigint, date_trunc('minute', now())
             UNION ALL
             SELECT n + 1, at - interval '1 minute' FROM minutes WHERE n < $1
         )
         SELECT at, coalesce(total, 0) AS total
         FROM minutes
         FULL JOIN (SELECT date_trunc('minute', {created}) AS at, count(*) AS total FROM {table} GROUP BY 1) AS busy USING (at)
         ORDER BY total DESC, at DESC
         LIMIT 10"
    )
}
