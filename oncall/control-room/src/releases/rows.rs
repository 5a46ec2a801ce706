//! The statements of releases.

use chrono::{DateTime, Utc};
use release::{dora::Delivery, run::Event};
use sqlx::SqliteConnection;

use super::Record;
use crate::{
    error::Result,
    store::{self, time},
};

/// The number for the next release.
pub(super) async fn next(connection: &mut SqliteConnection) -> Result<i64> {
    let next = sqlx::query_scalar("SELECT coalesce(max(id), 0) + 1 FROM releases");
    Ok(next.fetch_one(connection).await?)
}

/// Writes what a release is found by.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    number: i64,
    service: &str,
    record: &Record,
    at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query("INSERT INTO releases (id, service, data, started_at) VALUES (?, ?, ?, ?)")
        .bind(number)
        .bind(service)
        .bind(serde_json::to_string(record)?)
        .bind(time::micros(at))
        .execute(connection)
        .await?;
    Ok(())
}

/// What runs as old and new version of a release; none if there is no such release.
pub(super) async fn record(connection: &mut SqliteConnection, number: i64) -> Result<Option<Record>> {
    let row: Option<String> = sqlx::query_scalar("SELECT data FROM releases WHERE id = ?")
        .bind(number)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|data| serde_json::from_str(&data)).transpose()?)
}

/// Writes that a release is over.
pub(super) async fn end(
    connection: &mut SqliteConnection,
    number: i64,
    at: DateTime<Utc>,
    delivery: Option<&Delivery>,
) -> Result<()> {
    sqlx::query("UPDATE releases SET ended_at = ?, delivery = ? WHERE id = ?")
        .bind(time::micros(at))
        .bind(delivery.map(serde_json::to_string).transpose()?)
        .bind(number)
        .execute(connection)
        .await?;
    Ok(())
}

/// Releases that are not over, oldest first.
pub(super) async fn open(connection: &mut SqliteConnection) -> Result<Vec<i64>> {
    let open = sqlx::query_scalar("SELECT id FROM releases WHERE ended_at IS NULL ORDER BY id");
    Ok(open.fetch_all(connection).await?)
}

/// The newest releases, newest first.
pub(super) async fn newest(connection: &mut SqliteConnection, limit: usize) -> Result<Vec<i64>> {
    let newest = sqlx::query_scalar("SELECT id FROM releases ORDER BY id DESC LIMIT ?");
    Ok(newest.bind(i64::try_from(limit).unwrap_or(i64::MAX)).fetch_all(connection).await?)
}

/// Those that ended since a time.
pub(super) async fn deliveries(
    connection: &mut SqliteConnection,
    from: DateTime<Utc>,
) -> Result<Vec<Delivery>> {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT delivery FROM releases WHERE ended_at >= ? AND delivery IS NOT NULL ORDER BY ended_at",
    )
    .bind(time::micros(from))
    .fetch_all(connection)
    .await?;
    let deliveries: serde_json::Result<Vec<Delivery>> =
        rows.iter().map(|data| serde_json::from_str(data)).collect();
    Ok(deliveries?)
}

/// Adds an event; `n` counts from 0.
pub(super) async fn put_event(
    connection: &mut SqliteConnection,
    number: i64,
    n: i64,
    event: &Event,
) -> Result<()> {
    let insert = "INSERT INTO release_events (run, n, at, data) VALUES (?, ?, ?, ?)";
    store::put_event(connection, insert, (number, n), event.at, event).await
}

/// All that happened to a release, in order; nothing if there is no such release.
pub(super) async fn events(connection: &mut SqliteConnection, number: i64) -> Result<Vec<Event>> {
    store::events_of(connection, "SELECT data FROM release_events WHERE run = ? ORDER BY n", number).await
}
