//! The rows of the outbox. A row goes `queued -> sending -> sent | failed | unknown`; `sending` is committed before the
//! call, so that a crash during the call is recognized.

use chrono::{DateTime, TimeDelta, Utc};
use incident::Id;

use super::throttle::Group;
use crate::{
    bus::Bus,
    error::Result,
    notify::{
        channel::{Channel, Manner},
        failure::Outcome,
        message::{DeliveryRow, Message, id_of, number},
    },
    store::{
        Store, Writing,
        time::{from_micros, micros},
    },
};

/// How many rows are looked at: more than one message a second for the longest throttle.
const LOOKED_AT: i64 = 1000;
/// How long an announcement waits for the channel that it leads to.
const LEADS: TimeDelta = TimeDelta::seconds(10);

/// A message that waits or is being sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(crate) key: String,
    pub(crate) incident: Option<Id>,
    pub(crate) step: Option<String>,
    pub(crate) person: Option<String>,
    pub(crate) channel: Channel,
    pub(crate) address: Option<String>,
    pub(crate) message: Message,
    /// The message as it is stored: the body of a webhook.
    pub(crate) body: String,
    /// It is being sent.
    pub(crate) busy: bool,
    /// Attempts that have begun.
    pub(crate) attempts: i64,
    pub(crate) next_at: DateTime<Utc>,
}

type Columns = (
    i64,
    String,
    Option<i64>,
    Option<String>,
    Option<String>,
    String,
    Option<String>,
    String,
    String,
    i64,
    i64,
);

impl Row {
    /// The messages that share its limit, and may be joined with it.
    pub(super) fn group(&self) -> Group {
        let incident = self.incident.map_or(0, |id| id.0);
        let whom = match (self.channel, self.channel.manner()) {
            (Channel::Announcement, _) => String::new(),
            (Channel::Room, _) => incident.to_string(),
            (_, Manner::Alone) => self.id.to_string(),
            (_, Manner::InOrder) => format!("{incident} {}", self.address.as_deref().unwrap_or_default()),
            (channel, Manner::Together) => {
                return Group::person(channel, self.person.as_deref(), self.address.as_deref());
            }
        };
        Group { channel: self.channel, whom }
    }

    fn read(columns: Columns) -> std::result::Result<Self, (i64, String)> {
        let (id, key, incident, step, person, channel, address, body, state, attempts, next_at) = columns;
        let unreadable = |why: String| (id, why);
        Ok(Self {
            id,
            key,
            incident: incident.map(id_of),
            step,
            person,
            channel: channel.parse().map_err(|_| unreadable(format!("there is no channel `{channel}`")))?,
            address,
            message: serde_json::from_str(&body)
                .map_err(|error| unreadable(format!("the message: {error}")))?,
            body,
            busy: state == "sending",
            attempts,
            next_at: from_micros(next_at),
        })
    }
}

/// Every row that is not done, the oldest first. Rows of a war room that is not open yet wait for it, and announcements for ten
/// seconds at most; a row that cannot be read has failed.
pub(super) async fn open(store: &Store, bus: &Bus, now: DateTime<Utc>) -> Result<Vec<Row>> {
    let found: Vec<Columns> = sqlx::query_as(
        "SELECT d.id, d.key, d.incident, d.step, d.person, d.channel, \
         CASE d.channel WHEN 'room' THEN w.channel ELSE d.address END, d.message, d.state, d.attempts, d.next_at \
         FROM deliveries d LEFT JOIN war_rooms w ON w.incident = d.incident \
         WHERE d.state IN ('queued', 'sending') AND (d.channel <> 'room' OR w.state = 'open') \
         AND (d.channel <> 'announcement' OR w.kind IS NOT 'slack' OR w.state <> 'opening' OR d.created_at < ?) \
         ORDER BY d.id LIMIT ?",
    )
    .bind(micros(now - LEADS))
    .bind(LOOKED_AT)
    .fetch_all(store.read())
    .await?;
    let mut rows = Vec::with_capacity(found.len());
    for columns in found {
        match Row::read(columns) {
            Ok(row) => rows.push(row),
            Err((id, why)) => {
                tracing::error!(id, why, "a notification in the control room's file cannot be read");
                let mut writing = store.begin().await?;
                end(&mut writing, id, Outcome::Failed, Some(&why), now).await?;
                writing.commit(bus).await?;
            }
        }
    }
    Ok(rows)
}

/// The row is being sent: one more attempt.
pub(super) async fn claim(writing: &mut Writing<'_>, id: i64) -> Result<()> {
    sqlx::query("UPDATE deliveries SET state = 'sending', attempts = attempts + 1 WHERE id = ?")
        .bind(id)
        .execute(&mut **writing)
        .await?;
    Ok(())
}

/// The row is tried again at this time.
pub(super) async fn again(writing: &mut Writing<'_>, id: i64, at: DateTime<Utc>, why: &str) -> Result<()> {
    sqlx::query("UPDATE deliveries SET state = 'queued', next_at = ?, error = ? WHERE id = ?")
        .bind(micros(at))
        .bind(why)
        .bind(id)
        .execute(&mut **writing)
        .await?;
    Ok(())
}

/// The row is done.
pub(super) async fn end(
    writing: &mut Writing<'_>,
    id: i64,
    outcome: Outcome,
    error: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    let state: &'static str = outcome.into();
    sqlx::query("UPDATE deliveries SET state = ?, done_at = ?, error = ? WHERE id = ?")
        .bind(state)
        .bind(micros(now))
        .bind(error)
        .bind(id)
        .execute(&mut **writing)
        .await?;
    Ok(())
}

/// What reached people, or may have, after this time: for the throttle after a start.
pub(super) async fn reached(store: &Store, after: DateTime<Utc>) -> Result<Vec<(Group, DateTime<Utc>)>> {
    let found: Vec<(String, Option<String>, Option<String>, i64)> = sqlx::query_as(
        "SELECT channel, person, address, done_at FROM deliveries \
         WHERE state IN ('sent', 'unknown') AND done_at > ? ORDER BY done_at",
    )
    .bind(micros(after))
    .fetch_all(store.read())
    .await?;
    let person = |(channel, person, address, at): (String, Option<String>, Option<String>, i64)| {
        let channel: Channel = channel.parse().ok().filter(|channel: &Channel| channel.is_person())?;
        Some((Group::person(channel, person.as_deref(), address.as_deref()), from_micros(at)))
    };
    Ok(found.into_iter().filter_map(person).collect())
}

type Known =
    (i64, String, Option<i64>, Option<String>, String, String, i64, i64, Option<i64>, Option<String>);

/// The deliveries of an incident, the oldest first.
pub(crate) async fn of_incident(store: &Store, incident: Id) -> Result<Vec<DeliveryRow>> {
    let found: Vec<Known> = sqlx::query_as(
        "SELECT id, key, incident, person, channel, state, attempts, created_at, done_at, error \
         FROM deliveries WHERE incident = ? ORDER BY id",
    )
    .bind(number(incident))
    .fetch_all(store.read())
    .await?;
    let row = |(id, key, incident, person, channel, state, attempts, created_at, done_at, error): Known| {
        DeliveryRow {
            id,
            key,
            incident: incident.map(id_of),
            person,
            channel,
            state,
            attempts,
            created_at: from_micros(created_at),
            done_at: done_at.map(from_micros),
            error,
        }
    };
    Ok(found.into_iter().map(row).collect())
}

/// How many of the newest deliveries are being tried again, or have failed within this time. Desktop and bell do not count:
/// a machine without them is normal.
pub(crate) async fn failing(store: &Store, now: DateTime<Utc>, within: TimeDelta) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "SELECT count(*) FROM deliveries WHERE id > (SELECT coalesce(max(id), 0) - 1000 FROM deliveries) \
         AND channel NOT IN ('desktop', 'bell') \
         AND ((state = 'queued' AND attempts > 0) OR (state = 'failed' AND done_at > ?))",
    )
    .bind(micros(now - within))
    .fetch_one(store.read())
    .await?)
}
