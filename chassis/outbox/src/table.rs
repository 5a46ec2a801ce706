//! The table `outbox`: its definition, and every statement by which a service writes to it.
//!
//! A service that stages events with a change in one statement, for one round trip, composes that statement from [`stage!`]
//! and its own; one that retires an entry with the effect that it waited for does so with [`retire!`]; one that asks what still
//! waits has [`staged_by!`]. So the table has one owner: no other crate names it or its columns.
//!
//! [`stage!`]: crate::stage
//! [`retire!`]: crate::retire
//! [`staged_by!`]: crate::staged_by

use std::collections::BTreeMap;

use sqlx::{Arguments as _, error::BoxDynError, postgres::PgArguments, types::Json};
use uuid::Uuid;

use chassis_postgres::{Connection, DbError};
use chassis_telemetry::traces;

/// The table that [`Outbox`](super::Outbox) works on.
///
/// Rows live for seconds, so the table is vacuumed by count of dead rows and not by share of live ones; `outbox_failed` is
/// nearly always empty and only read to hold an entry back while an earlier one of its key waits for another attempt.
pub const OUTBOX_DDL: &str = "
CREATE TABLE outbox (
    id           uuid PRIMARY KEY,
    topic        text        NOT NULL,
    key          text        NOT NULL,
    payload      bytea       NOT NULL,
    headers      jsonb       NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL DEFAULT now(),
    publish_at   timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    attempts     integer     NOT NULL DEFAULT 0
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE INDEX outbox_due ON outbox (publish_at, id);
CREATE INDEX outbox_failed ON outbox (topic, key) WHERE published_at IS NULL AND attempts > 0;
";

/// SQL that stages those of the statement's [`crate::entries`] that `$which` chooses: a `WHERE` over their `id`, in
/// which other parts of the statement may be named, or nothing.
///
/// Part of a larger statement, as one of its `WITH` queries. The parameters `$1` to `$5` are those of the entries; the
/// statement's own begin at `$6`. An id that is there already is a duplicate: an event is staged with the change that it tells
/// of, which happens once ([`Outbox::stage`](crate::Outbox::stage) stages one again).
#[macro_export]
macro_rules! stage {
    ($which:literal) => {
        concat!(
            "INSERT INTO outbox (id, topic, key, payload, headers) \
             SELECT id, topic, key, payload, headers \
             FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::jsonb[]) \
             AS entry (id, topic, key, payload, headers) ",
            $which
        )
    };
}

/// SQL that retires the entries that `$which` chooses, a condition on their `id`; it returns their ids. Part of a larger
/// statement, as one of its `WITH` queries. Without parameters of its own.
#[macro_export]
macro_rules! retire {
    ($which:literal) => {
        concat!("DELETE FROM outbox WHERE ", $which, " RETURNING id")
    };
}

/// SQL for the ids of the entries that were staged at the time in the parameter `$time` (`timestamptz`) or before it, and are not
/// retired yet. The table is small whatever else grows: it holds what is in flight.
#[macro_export]
macro_rules! staged_by {
    ($time:literal) => {
        concat!("SELECT id FROM outbox WHERE created_at <= ", $time)
    };
}

/// Stages entries; those that are there already become due again.
const STAGE_OR_REPEAT: &str = concat!(
    stage!(""),
    "ON CONFLICT (id) DO UPDATE SET publish_at = now(), attempts = 0,
         payload = excluded.payload, headers = excluded.headers"
);

/// An event to be staged, in the trace and the scope in which it was made.
#[derive(Debug, Clone)]
pub struct OutboxEntry {
    id: Uuid,
    topic: &'static str,
    key: String,
    payload: Vec<u8>,
    headers: Json<BTreeMap<String, String>>,
}

impl OutboxEntry {
    /// An event with the current trace context and scope as headers. `id` is the event's own.
    #[must_use]
    pub fn new(id: Uuid, topic: &'static str, key: String, payload: Vec<u8>) -> Self {
        Self { id, topic, key, payload, headers: Json(traces::inject()) }
    }
}

/// The first parameters of a statement with [`stage!`](crate::stage) in it, `$1` to `$5`.
///
/// # Errors
/// [`DbError::Data`] when they cannot be encoded: too many, or too large.
pub fn entries<'a, I>(entries: I) -> Result<PgArguments, DbError>
where
    I: IntoIterator<Item = &'a OutboxEntry>,
{
    let entries: Vec<&OutboxEntry> = entries.into_iter().collect();
    let mut arguments = PgArguments::default();
    encode(&mut arguments, &entries).map_err(sqlx::Error::Encode)?;
    Ok(arguments)
}

fn encode(arguments: &mut PgArguments, entries: &[&OutboxEntry]) -> Result<(), BoxDynError> {
    arguments.add(column(entries, |entry| entry.id))?;
    arguments.add(column(entries, |entry| entry.topic))?;
    arguments.add(column(entries, |entry| entry.key.as_str()))?;
    arguments.add(column(entries, |entry| entry.payload.as_slice()))?;
    arguments.add(column(entries, |entry| &entry.headers))
}

fn column<'a, T>(entries: &[&'a OutboxEntry], of: impl Fn(&'a OutboxEntry) -> T) -> Vec<T> {
    entries.iter().map(|&entry| of(entry)).collect()
}

/// Adds these entries, or makes them due again.
pub(super) async fn stage(conn: &mut Connection, staged: &[&OutboxEntry]) -> Result<(), DbError> {
    let arguments = entries(staged.iter().copied())?;
    sqlx::query_with(STAGE_OR_REPEAT, arguments).execute(conn).await?;
    Ok(())
}

/// Removes these entries.
pub(super) async fn retire(conn: &mut Connection, ids: &[Uuid]) -> Result<(), DbError> {
    sqlx::query(retire!("id = ANY($1)")).bind(ids).execute(conn).await?;
    Ok(())
}
