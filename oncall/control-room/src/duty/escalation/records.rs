//! The rows that an escalation is made from. The same reads serve a look and a transaction.

use chrono::{DateTime, Utc};
use incident::{Event, Id};
use rota::escalation::{Event as Moving, StepId};
use serde_json::Value;
use sqlx::SqliteConnection;

use super::plan::{Plan, Sent};
use crate::{
    error::{Error, Result},
    store::{
        key,
        time::{from_micros, micros},
    },
};

/// The events that move an escalation, except alerts: in a storm those are many, and few policies count them.
pub(super) async fn events(connection: &mut SqliteConnection, id: Id) -> Result<Vec<(i64, Event)>> {
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "SELECT seq, data FROM journal WHERE incident = ?1 AND kind = 'incident' AND json_extract(data, '$.what.type') \
         IN ('opened', 'severity_set', 'declared_major', 'moved', 'acknowledged', 'acknowledgement_expired', \
         'escalated') ORDER BY seq",
    )
    .bind(key(id))
    .fetch_all(&mut *connection)
    .await?;
    rows.into_iter().map(|(seq, data)| Ok::<_, Error>((seq, serde_json::from_str(&data)?))).collect()
}

/// When each alert joined.
pub(super) async fn alerts(connection: &mut SqliteConnection, id: Id) -> Result<Vec<(i64, Moving)>> {
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "SELECT seq, json_extract(data, '$.at') FROM journal WHERE incident = ?1 AND kind = 'incident' \
         AND json_extract(data, '$.what.type') = 'alert_fired' ORDER BY seq",
    )
    .bind(key(id))
    .fetch_all(&mut *connection)
    .await?;
    let alert = |(seq, at): (i64, String)| {
        let at: DateTime<Utc> = serde_json::from_value(Value::String(at))?;
        Ok::<_, Error>((seq, Moving::Alert { at }))
    };
    rows.into_iter().map(alert).collect()
}

/// The plan that is followed.
pub(super) async fn plan(connection: &mut SqliteConnection, id: Id) -> Result<Option<Plan>> {
    let row: Option<String> = sqlx::query_scalar("SELECT policy FROM escalations WHERE incident = ?1")
        .bind(key(id))
        .fetch_optional(&mut *connection)
        .await?;
    Ok(row.map(|data| serde_json::from_str(&data)).transpose()?)
}

/// Follow this one from now on.
pub(super) async fn keep_plan(connection: &mut SqliteConnection, id: Id, plan: &Plan) -> Result<()> {
    sqlx::query("INSERT OR REPLACE INTO escalations (incident, opened_at, policy) VALUES (?1, ?2, ?3)")
        .bind(key(id))
        .bind(micros(plan.begins))
        .bind(serde_json::to_string(plan)?)
        .execute(&mut *connection)
        .await?;
    Ok(())
}

/// Steps that were handed over, oldest first.
pub(super) async fn sent(connection: &mut SqliteConnection, id: Id) -> Result<Vec<Sent>> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT step, at FROM steps WHERE incident = ?1 ORDER BY at, step")
            .bind(key(id))
            .fetch_all(&mut *connection)
            .await?;
    let step = |(step, at): (String, i64)| {
        let step: StepId = serde_json::from_value(Value::String(step))?;
        Ok::<_, Error>((step, from_micros(at)))
    };
    rows.into_iter().map(step).collect()
}

/// A step is handed over. Fails if it was before.
pub(super) async fn keep_step(
    connection: &mut SqliteConnection,
    id: Id,
    step: StepId,
    at: DateTime<Utc>,
) -> Result<()> {
    sqlx::query("INSERT INTO steps (incident, step, at) VALUES (?1, ?2, ?3)")
        .bind(key(id))
        .bind(step.to_string())
        .bind(micros(at))
        .execute(&mut *connection)
        .await?;
    Ok(())
}
