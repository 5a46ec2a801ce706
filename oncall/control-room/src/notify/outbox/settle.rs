//! What came of a message: the row's state, and a note in the incident's timeline if somebody was not reached.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use incident::{EntryKind, Id, Source, What};

use super::rows::{self, Row};
use crate::{
    Room,
    error::{Error, Result},
    notify::{
        channel::Channel,
        failure::{Failure, Next, Outcome},
    },
};

/// Keeps what came of an attempt.
pub(super) async fn settle(
    room: &Room,
    batch: &[Row],
    sent: &std::result::Result<(), Failure>,
    now: DateTime<Utc>,
) -> Result<()> {
    let Some(first) = batch.first() else { return Ok(()) };
    let failure = match sent {
        Ok(()) => return end(room, batch, Outcome::Sent, None, now).await,
        Err(failure) => failure,
    };
    let (channel, why) = (first.channel, failure.why());
    let attempt = batch.iter().map(|row| row.attempts).min().unwrap_or_default();
    match failure.next(channel, attempt, room.config.speed()) {
        Next::Again(wait) => {
            tracing::warn!(%channel, key = first.key, why, ?wait, "a notification was not sent; it is tried again");
            let at = now + TimeDelta::from_std(wait).unwrap_or_default();
            let mut writing = room.store.begin().await?;
            for row in batch {
                rows::again(&mut writing, row.id, at, why).await?;
            }
            writing.commit(&room.bus).await?;
            Ok(())
        }
        Next::End(outcome) => {
            tracing::warn!(%channel, key = first.key, why, ?outcome, "a notification was not sent");
            end(room, batch, outcome, Some(why), now).await
        }
    }
}

/// Settles rows that were being sent when the control room ended.
pub(super) async fn interrupted(room: &Room, rows: Vec<Row>, now: DateTime<Utc>) -> Result<()> {
    let why = "the control room ended while this was being sent";
    let (systems, people): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.channel.is_system());
    let mut writing = room.store.begin().await?;
    for row in &systems {
        rows::again(&mut writing, row.id, now, why).await?;
    }
    writing.commit(&room.bus).await?;
    for row in &people {
        end(room, std::slice::from_ref(row), Outcome::Unknown, Some(why), now).await?;
    }
    Ok(())
}

/// Row and note are one transaction for each incident.
async fn end(
    room: &Room,
    batch: &[Row],
    outcome: Outcome,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut incidents: BTreeMap<Option<Id>, Vec<&Row>> = BTreeMap::new();
    for row in batch {
        incidents.entry(row.incident).or_default().push(row);
    }
    for (incident, rows) in incidents {
        let note = rows.first().and_then(|row| note(room, row, outcome, error?, now));
        let (Some(id), Some(note)) = (incident, note) else {
            write(room, &rows, outcome, error, now).await?;
            continue;
        };
        let mut writing = room.store.begin().await?;
        for row in &rows {
            rows::end(&mut writing, row.id, outcome, error, now).await?;
        }
        match room.desk.act_with(writing, id, Source::ControlRoom, vec![note]).await {
            Ok(_) => {}
            // No incident to note it in: the row says it.
            Err(Error::NoIncident(_) | Error::Refused(_)) => write(room, &rows, outcome, error, now).await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn write(
    room: &Room,
    rows: &[&Row],
    outcome: Outcome,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    let mut writing = room.store.begin().await?;
    for row in rows {
        rows::end(&mut writing, row.id, outcome, error, now).await?;
    }
    writing.commit(&room.bus).await?;
    Ok(())
}

/// What the timeline says, if anything.
fn note(room: &Room, row: &Row, outcome: Outcome, why: &str, now: DateTime<Utc>) -> Option<What> {
    // Once is enough to know that this machine has no desktop.
    let known =
        outcome == Outcome::Failed && row.channel.is_local() && !room.notify.is_first_failure(row.channel);
    if known || matches!(row.channel, Channel::Room | Channel::Announcement) {
        return None;
    }
    let (whom, channel) = (row.person.as_deref().unwrap_or("the receiver"), row.channel);
    let text = match outcome {
        Outcome::Sent => return None,
        Outcome::Failed => format!("{whom} was not reached by {channel}: {why}"),
        Outcome::Unknown => format!("it is not known whether {whom} was reached by {channel}: {why}"),
    };
    Some(What::Noted { kind: EntryKind::Page, happened_at: now, text, evidence: Vec::new(), sealed: false })
}
