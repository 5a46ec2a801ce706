//! The statements of the desk. Events are in the journal; the other two tables find them and can be made from them.

use chrono::{DateTime, SecondsFormat, Utc};
use incident::{
    Event, Id, Incident,
    alerts::{AlertKey, Book},
};
use serde::de::Error as _;
use sqlx::SqliteConnection;

use super::Filter;
use crate::{
    error::Result,
    store::{id, key, time},
};

/// All events of an incident, in order; none if there is no such incident.
pub(super) async fn events(connection: &mut SqliteConnection, incident: Id) -> Result<Vec<Event>> {
    let rows: Vec<String> =
        sqlx::query_scalar("SELECT data FROM journal WHERE incident = ? AND kind = 'incident' ORDER BY seq")
            .bind(key(incident))
            .fetch_all(connection)
            .await?;
    let events: serde_json::Result<Vec<Event>> = rows.iter().map(|data| serde_json::from_str(data)).collect();
    Ok(events?)
}

/// Incidents for which somebody ever noted an action item, done or not, oldest first.
pub(super) async fn with_follow_ups(connection: &mut SqliteConnection) -> Result<Vec<Id>> {
    // In a text of people the quotes would be escaped.
    let ids: Vec<i64> = sqlx::query_scalar(
        "SELECT DISTINCT incident FROM journal
         WHERE incident IS NOT NULL AND kind = 'incident' AND instr(data, '\"follow_up\":true') > 0
         ORDER BY incident",
    )
    .fetch_all(connection)
    .await?;
    Ok(ids.into_iter().map(id).collect())
}

/// The number for the next incident.
pub(super) async fn next(connection: &mut SqliteConnection) -> Result<Id> {
    let next: i64 =
        sqlx::query_scalar("SELECT coalesce(max(id), 0) + 1 FROM incidents").fetch_one(connection).await?;
    Ok(id(next))
}

/// Writes what an incident is found by.
pub(super) async fn put(connection: &mut SqliteConnection, incident: &Incident) -> Result<()> {
    let state: &'static str = incident.state.into();
    sqlx::query(
        "INSERT INTO incidents (id, state, severity, title, services, opened_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, severity = excluded.severity,
             title = excluded.title, services = excluded.services, updated_at = excluded.updated_at",
    )
    .bind(key(incident.id))
    .bind(state)
    .bind(i64::from(incident.severity.number()))
    .bind(incident.title.as_str())
    .bind(serde_json::to_string(&incident.services)?)
    .bind(time::micros(incident.opened_at))
    .bind(time::micros(incident.updated_at))
    .execute(connection)
    .await?;
    Ok(())
}

/// At most `limit` incidents before one, newest first.
pub(super) async fn list(
    connection: &mut SqliteConnection,
    filter: &Filter,
    before: Option<Id>,
    limit: usize,
) -> Result<Vec<Id>> {
    let state: Option<&'static str> = filter.state.map(Into::into);
    let ids: Vec<i64> = sqlx::query_scalar(
        "SELECT id FROM incidents
         WHERE id < ?1
             AND (?2 IS NULL OR state = ?2)
             AND (?3 IS NULL OR severity = ?3)
             AND (?4 IS NULL OR (state IN ('triage', 'active', 'mitigated')) = ?4)
             AND (?5 IS NULL OR EXISTS (SELECT 1 FROM json_each(services) WHERE value = ?5))
         ORDER BY id DESC LIMIT ?6",
    )
    .bind(before.map_or(i64::MAX, key))
    .bind(state)
    .bind(filter.severity.map(|severity| i64::from(severity.number())))
    .bind(filter.open)
    .bind(filter.service.as_deref())
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(connection)
    .await?;
    Ok(ids.into_iter().map(id).collect())
}

/// Writes whether an alert fires.
pub(super) async fn put_alert(
    connection: &mut SqliteConnection,
    alert: &AlertKey,
    firing: bool,
    seen: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO alerts (fingerprint, starts_at, firing, seen) VALUES (?, ?, ?, ?)
         ON CONFLICT (fingerprint, starts_at) DO UPDATE SET firing = excluded.firing, seen = excluded.seen",
    )
    .bind(alert.fingerprint.as_str())
    .bind(alert.starts_at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    .bind(firing)
    .bind(time::micros(seen))
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets alerts that ended and were last heard of before a time.
pub(super) async fn forget_alerts(connection: &mut SqliteConnection, before: DateTime<Utc>) -> Result<()> {
    sqlx::query("DELETE FROM alerts WHERE firing = 0 AND seen < ?")
        .bind(time::micros(before))
        .execute(connection)
        .await?;
    Ok(())
}

/// Which alerts fire, and which ended a short time ago.
pub(super) async fn book(connection: &mut SqliteConnection) -> Result<Book> {
    let rows: Vec<(String, String, bool, i64)> =
        sqlx::query_as("SELECT fingerprint, starts_at, firing, seen FROM alerts")
            .fetch_all(connection)
            .await?;
    let mut book = Book::default();
    for (fingerprint, starts_at, firing, seen) in rows {
        let starts_at = starts_at.parse::<DateTime<Utc>>().map_err(|error| {
            serde_json::Error::custom(format_args!("alert {fingerprint} starts at `{starts_at}`: {error}"))
        })?;
        book.restore(AlertKey { fingerprint, starts_at }, firing, time::from_micros(seen));
    }
    Ok(book)
}
