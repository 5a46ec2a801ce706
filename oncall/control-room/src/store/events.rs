//! The events of runs and releases, which are the result of their events: rows of `run, n, at, data`, each written once.

use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::SqliteConnection;

use super::time;
use crate::error::Result;

/// Adds an event of `run` with a statement that inserts these four; `n` counts from 0.
///
/// # Errors
/// When the file fails.
pub(crate) async fn put_event(
    connection: &mut SqliteConnection,
    insert: &'static str,
    (run, n): (i64, i64),
    at: DateTime<Utc>,
    event: &(impl Serialize + Sync),
) -> Result<()> {
    sqlx::query(insert)
        .bind(run)
        .bind(n)
        .bind(time::micros(at))
        .bind(serde_json::to_string(event)?)
        .execute(connection)
        .await?;
    Ok(())
}

/// All events of `run`, with a statement that selects their data in order; none if there is no such run.
///
/// # Errors
/// When the file fails, or has a row that cannot be read.
pub(crate) async fn events_of<T: DeserializeOwned>(
    connection: &mut SqliteConnection,
    select: &'static str,
    run: i64,
) -> Result<Vec<T>> {
    let rows: Vec<String> = sqlx::query_scalar(select).bind(run).fetch_all(connection).await?;
    let events: serde_json::Result<Vec<T>> = rows.iter().map(|data| serde_json::from_str(data)).collect();
    Ok(events?)
}
