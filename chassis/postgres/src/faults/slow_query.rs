//! `db-slow-query`: a report over the main table, minute by minute, runs on the caller's connection first, as after someone
//! added a statistic to the request path.

use sqlx::AssertSqlSafe;

use super::{Connection, DbError, DbTargets};

/// Reads the last `minutes` minutes and the whole table. Past the statement timeout the server cancels it, and
/// the caller gets that error.
pub(super) async fn run(conn: &mut Connection, targets: &DbTargets, minutes: u64) -> Result<(), DbError> {
    sqlx::query(AssertSqlSafe(report(targets)))
        .bind(i64::try_from(minutes).unwrap_or(i64::MAX))
        .execute(conn)
        .await?;
    Ok(())
}

/// The busiest minutes. The cost depends on `$1`, not on the content of the table: a full outer join can only be
/// done by a hash or a merge, never by a nested loop.
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
