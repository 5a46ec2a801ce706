//! The statements of runs, the ledger of guardrails, the pages of the breaker, and acts by key.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use incident::Id;
use runbook::{
    Event,
    guardrails::{Entry, Noted},
};
use sqlx::SqliteConnection;

use crate::{
    error::Result,
    store::{self, key, time},
};

/// Who did an act first, and what became of it: nothing while it is done.
pub(super) type Owner = (i64, Option<bool>);

/// The number for the next run.
pub(super) async fn next(connection: &mut SqliteConnection) -> Result<i64> {
    let next = sqlx::query_scalar("SELECT coalesce(max(id), 0) + 1 FROM runbook_runs");
    Ok(next.fetch_one(connection).await?)
}

/// Whether automation has begun a run for this alert.
pub(super) async fn has_alert(connection: &mut SqliteConnection, alert: &str) -> Result<bool> {
    let found: Option<i64> = sqlx::query_scalar("SELECT id FROM runbook_runs WHERE alert = ?")
        .bind(alert)
        .fetch_optional(connection)
        .await?;
    Ok(found.is_some())
}

/// The newest alerts that automation has begun a run for.
pub(super) async fn alerts(connection: &mut SqliteConnection) -> Result<BTreeSet<String>> {
    let newest = "SELECT alert FROM runbook_runs WHERE alert IS NOT NULL ORDER BY id DESC LIMIT 5000";
    let alerts: Vec<String> = sqlx::query_scalar(newest).fetch_all(connection).await?;
    Ok(alerts.into_iter().collect())
}

/// Writes what a run is found by.
pub(super) async fn put_run(
    connection: &mut SqliteConnection,
    number: i64,
    runbook: &str,
    incident: Option<Id>,
    alert: Option<&str>,
    at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query("INSERT INTO runbook_runs (id, runbook, incident, alert, started_at) VALUES (?, ?, ?, ?, ?)")
        .bind(number)
        .bind(runbook)
        .bind(incident.map(key))
        .bind(alert)
        .bind(time::micros(at))
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes that a run is over.
pub(super) async fn end_run(connection: &mut SqliteConnection, number: i64, at: DateTime<Utc>) -> Result<()> {
    sqlx::query("UPDATE runbook_runs SET ended_at = ? WHERE id = ?")
        .bind(time::micros(at))
        .bind(number)
        .execute(connection)
        .await?;
    Ok(())
}

/// Runs that are not over, oldest first.
pub(super) async fn open(connection: &mut SqliteConnection) -> Result<Vec<i64>> {
    let open = sqlx::query_scalar("SELECT id FROM runbook_runs WHERE ended_at IS NULL ORDER BY id");
    Ok(open.fetch_all(connection).await?)
}

/// The newest runs, newest first.
pub(super) async fn newest(connection: &mut SqliteConnection, limit: usize) -> Result<Vec<i64>> {
    let newest = sqlx::query_scalar("SELECT id FROM runbook_runs ORDER BY id DESC LIMIT ?");
    Ok(newest.bind(i64::try_from(limit).unwrap_or(i64::MAX)).fetch_all(connection).await?)
}

/// Adds an event; `n` counts from 0.
pub(super) async fn put_event(
    connection: &mut SqliteConnection,
    number: i64,
    n: i64,
    event: &Event,
) -> Result<()> {
    let insert = "INSERT INTO runbook_events (run, n, at, data) VALUES (?, ?, ?, ?)";
    store::put_event(connection, insert, (number, n), event.at, event).await
}

/// All that happened to a run, in order; nothing if there is no such run.
pub(super) async fn events(connection: &mut SqliteConnection, number: i64) -> Result<Vec<Event>> {
    store::events_of(connection, "SELECT data FROM runbook_events WHERE run = ? ORDER BY n", number).await
}

/// Keeps something that guardrails keep in mind.
pub(super) async fn put_noted(connection: &mut SqliteConnection, noted: &Noted) -> Result<()> {
    sqlx::query("INSERT INTO runbook_ledger (at, data) VALUES (?, ?)")
        .bind(time::micros(noted.at))
        .bind(serde_json::to_string(&noted.entry)?)
        .execute(connection)
        .await?;
    Ok(())
}

/// All of it, in order.
pub(super) async fn ledger(connection: &mut SqliteConnection) -> Result<Vec<Noted>> {
    let rows: Vec<(i64, String)> =
        sqlx::query_as("SELECT at, data FROM runbook_ledger ORDER BY seq").fetch_all(connection).await?;
    let noted = |(at, data): (i64, String)| -> Result<Noted> {
        let entry: Entry = serde_json::from_str(&data)?;
        Ok(Noted { at: time::from_micros(at), entry })
    };
    rows.into_iter().map(noted).collect()
}

/// Keeps what a person has to be paged with.
pub(super) async fn put_page(connection: &mut SqliteConnection, at: DateTime<Utc>, text: &str) -> Result<()> {
    sqlx::query("INSERT INTO runbook_pages (at, text) VALUES (?, ?)")
        .bind(time::micros(at))
        .bind(text)
        .execute(connection)
        .await?;
    Ok(())
}

/// What nobody was paged with yet.
pub(super) async fn pages(connection: &mut SqliteConnection) -> Result<Vec<(i64, String)>> {
    let due = sqlx::query_as("SELECT seq, text FROM runbook_pages WHERE incident IS NULL ORDER BY seq");
    Ok(due.fetch_all(connection).await?)
}

/// Writes which incident pages a person.
pub(super) async fn paged(connection: &mut SqliteConnection, seq: i64, incident: Id) -> Result<()> {
    sqlx::query("UPDATE runbook_pages SET incident = ? WHERE seq = ?")
        .bind(key(incident))
        .bind(seq)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes an act for a run, unless it was done or another run is doing it. One that failed may be tried again.
pub(super) async fn claim(connection: &mut SqliteConnection, act: &str, number: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO runbook_acts (key, run, ok) VALUES (?, ?, NULL)
         ON CONFLICT (key) DO UPDATE SET run = excluded.run, ok = NULL WHERE runbook_acts.ok = 0",
    )
    .bind(act)
    .bind(number)
    .execute(connection)
    .await?;
    Ok(())
}

/// Who has an act.
pub(super) async fn owner(connection: &mut SqliteConnection, act: &str) -> Result<Option<Owner>> {
    let row = sqlx::query_as("SELECT run, ok FROM runbook_acts WHERE key = ?");
    Ok(row.bind(act).fetch_optional(connection).await?)
}

/// Writes what became of an act. What was taken back may be done again.
pub(super) async fn settle(
    connection: &mut SqliteConnection,
    act: &str,
    number: i64,
    ok: bool,
) -> Result<()> {
    sqlx::query("UPDATE runbook_acts SET ok = ? WHERE key = ? AND run = ?")
        .bind(ok)
        .bind(act)
        .bind(number)
        .execute(&mut *connection)
        .await?;
    if let Some(undone) = act.strip_suffix("/undo").filter(|_| ok) {
        sqlx::query("DELETE FROM runbook_acts WHERE key IN (?, ?)")
            .bind(undone)
            .bind(act)
            .execute(connection)
            .await?;
    }
    Ok(())
}
