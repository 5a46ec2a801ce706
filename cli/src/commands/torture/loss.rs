//! What a disaster cost, as the callers know it: they have the answer to every order that was accepted.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, Result};
use chrono::{DateTime, TimeDelta, Utc};
use recovery::{Accepted, Loss};
use sqlx::{Connection as _, PgConnection};
use tokio::time::sleep;

use super::clients::Notes;

const LOOK: Duration = Duration::from_millis(100);
/// Answers that were on their way at the disaster have arrived by then; nothing is back in so little time.
const ON_THEIR_WAY: TimeDelta = TimeDelta::milliseconds(500);

/// Ids of all stored orders.
///
/// # Errors
/// When the server does not answer.
pub(in crate::commands) async fn stored(url: &str) -> Result<BTreeSet<String>> {
    let connected = PgConnection::connect(url).await;
    let mut connection = connected.context("the server does not answer after the disaster")?;
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT id::text FROM orders").fetch_all(&mut connection).await?;
    connection.close().await?;
    Ok(ids.into_iter().collect())
}

/// When the first order was accepted after the disaster.
pub(in crate::commands) fn back(notes: &Notes, disaster: DateTime<Utc>) -> Option<DateTime<Utc>> {
    notes.accepted.values().filter(|at| **at > disaster + ON_THEIR_WAY).min().copied()
}

/// Keys of orders that were accepted before the disaster and are not among the survivors.
pub(in crate::commands) fn lost(
    notes: &Notes,
    disaster: DateTime<Utc>,
    survivors: &BTreeSet<String>,
) -> Vec<String> {
    let before = notes.accepted.iter().filter(|(_, at)| **at <= disaster + ON_THEIR_WAY).map(|(key, _)| key);
    let gone = before.filter(|key| notes.answered.get(*key).is_some_and(|id| !survivors.contains(id)));
    gone.cloned().collect()
}

/// What it cost: the keys in `lost`, of all that were accepted before.
pub(in crate::commands) fn loss(notes: &Notes, disaster: DateTime<Utc>, lost: &[String]) -> Loss {
    let lost: BTreeSet<&String> = lost.iter().collect();
    let orders: Vec<Accepted> = notes
        .accepted
        .iter()
        .filter(|(_, at)| **at <= disaster + ON_THEIR_WAY)
        // An answer that was on its way is one from before.
        .map(|(key, at)| Accepted { at: (*at).min(disaster), survived: !lost.contains(key) })
        .collect();
    Loss::of(&orders, disaster, back(notes, disaster))
}

/// Waits until something is so.
///
/// # Errors
/// `otherwise`, after `patience`.
pub(in crate::commands) async fn until(
    patience: Duration,
    otherwise: &'static str,
    mut so: impl FnMut() -> bool,
) -> Result<()> {
    let look = async {
        while !so() {
            sleep(LOOK).await;
        }
    };
    tokio::time::timeout(patience, look).await.context(otherwise)
}
