//! What is said in war rooms. Kept here first, wherever the room is; a room elsewhere gets a copy through the outbox.

use chrono::{DateTime, Utc};
use incident::{Id, Incident};

use super::{
    channel::Channel,
    message::{Message, NewDelivery, RoomMessage, WarRoom, number, queue},
};
use crate::{
    bus::Kind,
    error::Result,
    store::{
        Store, Writing,
        time::{from_micros, micros},
    },
};

/// How many messages are read at once.
const READ: i64 = 500;

/// Says something in the war room of an incident; `base` is the address of the pages.
pub(super) async fn post(
    writing: &mut Writing<'_>,
    incident: &Incident,
    base: &str,
    at: DateTime<Utc>,
    author: &str,
    text: &str,
) -> Result<RoomMessage> {
    let kept = sqlx::query("INSERT INTO messages (incident, at, author, text) VALUES (?, ?, ?, ?)")
        .bind(number(incident.id))
        .bind(micros(at))
        .bind(author)
        .bind(text)
        .execute(&mut **writing)
        .await?;
    let id = kept.last_insert_rowid();
    // As it will be read.
    let at = from_micros(micros(at));
    let said = RoomMessage { id, at, author: author.to_owned(), text: text.to_owned() };
    writing.journal(at, Kind::Message, Some(incident.id), false, &said).await?;
    if is_elsewhere(writing, incident.id).await? {
        let key = format!("{}/room/{id}", incident.id);
        queue(writing, &delivery(incident, base, Channel::Room, key, author.to_owned(), text.to_owned(), at))
            .await?;
    }
    Ok(said)
}

/// A delivery that is about an incident and for no person.
pub(super) fn delivery(
    incident: &Incident,
    base: &str,
    channel: Channel,
    key: String,
    title: String,
    text: String,
    at: DateTime<Utc>,
) -> NewDelivery {
    let message = Message {
        title,
        text,
        url: format!("{base}/incidents/{}", incident.id),
        incident: Some(incident.id),
        severity: incident.severity,
        state: incident.state,
        key: key.clone(),
    };
    let (step, person, address) = (None, None, None);
    NewDelivery {
        key,
        incident: Some(incident.id),
        step,
        person,
        channel: channel.to_string(),
        address,
        message,
        at,
    }
}

async fn is_elsewhere(writing: &mut Writing<'_>, id: Id) -> Result<bool> {
    let count: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM war_rooms WHERE incident = ? AND kind = 'slack' AND state <> 'archived'",
    )
    .bind(number(id))
    .fetch_one(&mut **writing)
    .await?;
    Ok(count > 0)
}

/// What was said after a message, the oldest first.
pub(super) async fn thread(store: &Store, incident: Id, after: i64) -> Result<Vec<RoomMessage>> {
    let found: Vec<(i64, i64, String, String)> = sqlx::query_as(
        "SELECT id, at, author, text FROM messages WHERE incident = ? AND id > ? ORDER BY id LIMIT ?",
    )
    .bind(number(incident))
    .bind(after)
    .bind(READ)
    .fetch_all(store.read())
    .await?;
    let message = |(id, at, author, text)| RoomMessage { id, at: from_micros(at), author, text };
    Ok(found.into_iter().map(message).collect())
}

/// The war room of an incident, if it has one.
pub(super) async fn war_room(store: &Store, incident: Id) -> Result<Option<WarRoom>> {
    let found: Option<(String, Option<String>, Option<String>, String)> =
        sqlx::query_as("SELECT kind, channel, url, state FROM war_rooms WHERE incident = ?")
            .bind(number(incident))
            .fetch_optional(store.read())
            .await?;
    Ok(found.map(|(kind, channel, url, state)| WarRoom { kind, channel, url, state }))
}
