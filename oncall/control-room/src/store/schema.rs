//! The schema of the file, and its version: `PRAGMA user_version` counts the migrations that it has.

use anyhow::Context as _;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

/// In order; one that was released is never changed.
const STEPS: &[&str] = &[
    include_str!("../../migrations/0001_control_room.sql"),
    include_str!("../../migrations/0002_drills.sql"),
    include_str!("../../migrations/0003_runbooks.sql"),
    include_str!("../../migrations/0004_releases.sql"),
    include_str!("../../migrations/0005_declared.sql"),
];

/// Brings a file up to date; each step completely or not at all.
pub(super) async fn migrate(connection: &mut SqliteConnection) -> anyhow::Result<()> {
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await?;
    let known = STEPS.len();
    let applied = usize::try_from(version).ok().filter(|applied| *applied <= known);
    let applied = applied.with_context(|| {
        format!(
            "it has version {version} and this program knows versions up to {known}: \
             start the newer control room that wrote it, or move the file away to begin with an empty one"
        )
    })?;
    for (number, step) in (1..).zip(STEPS).skip(applied) {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::raw_sql(*step).execute(&mut *transaction).await?;
        let version = AssertSqlSafe(format!("PRAGMA user_version = {number}"));
        sqlx::raw_sql(version).execute(&mut *transaction).await?;
        transaction.commit().await?;
    }
    Ok(())
}
