//! Reading the journal again: after a sequence number, or the newest of a kind.

use incident::Id;
use serde::de::Error as _;

use super::{Store, id, time};
use crate::{
    bus::{Kind, Notice},
    error::Result,
};

/// `seq, at, kind, incident, sealed, data`.
type Row = (i64, i64, String, Option<i64>, bool, String);

/// At most `limit` rows after `seq`, oldest first: what `Last-Event-ID` asks for. Includes what is sealed.
///
/// # Errors
/// When the file fails or has a row that cannot be read.
pub async fn journal_after(store: &Store, seq: i64, limit: usize) -> Result<Vec<Notice>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT seq, at, kind, incident, sealed, data FROM journal WHERE seq > ? ORDER BY seq LIMIT ?",
    )
    .bind(seq)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(store.read())
    .await?;
    rows.into_iter().map(notice).collect()
}

/// At most `limit` rows of a kind, newest first. Includes what is sealed.
///
/// # Errors
/// As [`journal_after`].
pub async fn journal_of(store: &Store, kind: Kind, limit: usize) -> Result<Vec<Notice>> {
    let kind: &'static str = kind.into();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT seq, at, kind, incident, sealed, data FROM journal WHERE kind = ? ORDER BY seq DESC LIMIT ?",
    )
    .bind(kind)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(store.read())
    .await?;
    rows.into_iter().map(notice).collect()
}

/// The number of the newest row; 0 if there is none.
///
/// # Errors
/// When the file fails.
pub async fn journal_last(store: &Store) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM journal").fetch_one(store.read()).await?)
}

fn notice((seq, at, kind, incident, sealed, data): Row) -> Result<Notice> {
    let kind = kind.parse::<Kind>().map_err(|_| {
        serde_json::Error::custom(format_args!("row {seq} of the journal has the unknown kind `{kind}`"))
    })?;
    let (at, incident): (_, Option<Id>) = (time::from_micros(at), incident.map(id));
    Ok(Notice { seq, at, kind, incident, sealed, data: serde_json::from_str(&data)? })
}
