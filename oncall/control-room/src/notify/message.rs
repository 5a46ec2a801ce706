//! What is sent, and what is known about it afterwards.

use chrono::{DateTime, Utc};
use incident::{Id, Severity, State};
use serde::{Deserialize, Serialize};

use super::channel::{Channel, Manner};
use crate::{
    error::{Error, Result},
    store::{Writing, time},
};

/// How long, in milliseconds, a message that may be joined with others waits for them.
const GATHER: i64 = 1000;

/// A message to a person or a program. Webhooks get it as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// What it is about, in a line: `SEV-2: Orders fail`.
    pub title: String,
    /// What else there is to say.
    pub text: String,
    /// The page of the incident.
    pub url: String,
    /// The incident.
    pub incident: Option<Id>,
    /// How bad it is.
    pub severity: Severity,
    /// Where it is.
    pub state: State,
    /// The idempotency key, such as `INC-1/0.0.2/ada/desktop`.
    pub key: String,
}

/// A message for one receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Unique: a second delivery with this key is ignored.
    pub key: String,
    /// The incident.
    pub incident: Option<Id>,
    /// The step of the escalation; for PagerDuty also `acknowledge` or `resolve`.
    pub step: Option<String>,
    /// Who is notified, if it is a person.
    pub person: Option<String>,
    /// On which way: slack, desktop, bell, webhook, service, pagerduty.
    pub channel: String,
    /// Where, if the channel needs it: a URL, the id of a Slack member, the name of a key.
    pub address: Option<String>,
    /// What.
    pub message: Message,
    /// When it was decided.
    pub at: DateTime<Utc>,
}

/// What is known about a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliveryRow {
    /// Its number.
    pub id: i64,
    /// Its idempotency key.
    pub key: String,
    /// The incident.
    pub incident: Option<Id>,
    /// Who is notified, if it is a person.
    pub person: Option<String>,
    /// On which way.
    pub channel: String,
    /// `queued`, `sending`, `sent`, `failed` or `unknown`: it may have arrived, and is not sent again.
    pub state: String,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was decided.
    pub created_at: DateTime<Utc>,
    /// When it was sent or given up.
    pub done_at: Option<DateTime<Utc>>,
    /// Why it was not sent, or not yet.
    pub error: Option<String>,
}

/// What somebody said in a war room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomMessage {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub author: String,
    /// What.
    pub text: String,
}

/// Where people talk about an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WarRoom {
    /// `thread`, on the incident's page, or `slack`.
    pub kind: String,
    /// The channel's id; none until it is open.
    pub channel: Option<String>,
    /// Where it is; until a channel of Slack is open, the thread on the incident's page.
    pub url: Option<String>,
    /// `opening`, `open` or `archived`.
    pub state: String,
}

/// Hands a message over for sending, in the caller's transaction. Nothing happens if there is one with its key.
///
/// # Errors
/// [`Error::Field`] if there is no such channel, or the store's error.
pub async fn queue(writing: &mut Writing<'_>, delivery: &NewDelivery) -> Result<()> {
    let channel: Channel = delivery.channel.parse().map_err(|_| {
        let channel = &delivery.channel;
        Error::field(
            "channel",
            format!("expected slack, desktop, bell, webhook, service or pagerduty, found `{channel}`"),
        )
    })?;
    let at = time::micros(delivery.at);
    let gather = if channel.manner() == Manner::Together { GATHER * 1000 } else { 0 };
    sqlx::query(
        "INSERT OR IGNORE INTO deliveries (key, incident, step, person, channel, address, message, created_at, next_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(&delivery.key)
    .bind(delivery.incident.map(number))
    .bind(&delivery.step)
    .bind(&delivery.person)
    .bind(&delivery.channel)
    .bind(&delivery.address)
    .bind(serde_json::to_string(&delivery.message)?)
    .bind(at)
    .bind(at + gather)
    .execute(&mut **writing)
    .await?;
    Ok(())
}

/// An incident's number as a column.
pub(super) const fn number(id: Id) -> i64 {
    id.0.cast_signed()
}

/// A column as an incident's number.
pub(super) const fn id_of(number: i64) -> Id {
    Id(number.cast_unsigned())
}
