//! One visit of a war room: what differs from its incident is changed there.

use std::collections::BTreeSet;

use chrono::Utc;
use incident::{EntryKind, Id, Incident, Source, What};
use rota::ContactKind;
use sqlx::Sqlite;

use super::{Thread, Tracked, Visited, WarRoomPort};
use crate::{
    Room,
    error::Result,
    notify::{failure::Failure, follow::FOLLOWED, message::number, slack::blocks},
    store::time::micros,
};

/// A room as it is kept.
struct Kept {
    kind: String,
    channel: Option<String>,
    summary: Option<String>,
    state: String,
}

/// Visits the room of an incident.
pub(super) async fn visit(
    room: &Room,
    id: Id,
    tracked: &mut Tracked,
) -> std::result::Result<Visited, Failure> {
    let Some(kept) = kept(room, id).await? else { return Ok(Visited::Over) };
    if kept.state == "archived" {
        return Ok(Visited::Over);
    }
    let parts = room.notify.parts();
    match (kept.kind == "slack", &parts.slack) {
        (true, Some(slack)) => keep(room, slack, id, kept, tracked).await,
        (true, None) => {
            tracing::warn!(%id, "the war room is in Slack, but SLACK_TOKEN is not set: it stays as it is");
            Ok(Visited::Over)
        }
        (false, _) => keep(room, &Thread { base: parts.base.clone() }, id, kept, tracked).await,
    }
}

async fn kept(room: &Room, id: Id) -> Result<Option<Kept>> {
    let found: Option<(String, Option<String>, Option<String>, String)> =
        sqlx::query_as("SELECT kind, channel, summary, state FROM war_rooms WHERE incident = ?")
            .bind(number(id))
            .fetch_optional(room.store.read())
            .await?;
    Ok(found.map(|(kind, channel, summary, state)| Kept { kind, channel, summary, state }))
}

async fn keep<P: WarRoomPort>(
    room: &Room,
    port: &P,
    id: Id,
    kept: Kept,
    tracked: &mut Tracked,
) -> std::result::Result<Visited, Failure> {
    let incident = room.desk.get(id).await?;
    let channel = match kept.channel {
        Some(channel) => channel,
        None => match port.open(&incident).await {
            Ok(opened) => {
                set(
                    room,
                    id,
                    "UPDATE war_rooms SET channel = ?, url = ?, state = 'open' WHERE incident = ?",
                    [&opened.channel, &opened.url],
                )
                .await?;
                opened.channel
            }
            Err(Failure::Never(why)) => {
                fall_back(room, id, &why).await?;
                return Ok(Visited::Unfinished);
            }
            Err(failure) => return Err(failure),
        },
    };
    show(room, port, &incident, &channel, kept.summary.as_deref(), tracked).await?;
    invite(room, port, &incident, &channel, tracked).await?;
    if !incident.state.is_final() {
        return Ok(Visited::Current);
    }
    if posts_left(room, id).await? {
        return Ok(Visited::Unfinished);
    }
    said(port.archive(&channel).await)?;
    set(room, id, "UPDATE war_rooms SET state = 'archived' WHERE incident = ?", []).await?;
    Ok(Visited::Over)
}

/// Topic and summary, where they have changed.
async fn show<P: WarRoomPort>(
    room: &Room,
    port: &P,
    incident: &Incident,
    channel: &str,
    earlier: Option<&str>,
    tracked: &mut Tracked,
) -> std::result::Result<(), Failure> {
    let page = format!("{}/incidents/{}", room.notify.parts().base, incident.id);
    let summary = blocks::summary(incident, &page);
    if tracked.summary.as_ref() != Some(&summary) {
        let fresh = said(port.summary(channel, earlier, &summary).await)?.flatten();
        if let Some(ts) = fresh {
            set(room, incident.id, "UPDATE war_rooms SET summary = ? WHERE incident = ?", [&ts]).await?;
        }
        tracked.summary = Some(summary);
    }
    let topic = blocks::topic(incident);
    if tracked.topic != topic {
        said(port.topic(channel, &topic).await)?;
        tracked.topic = topic;
    }
    Ok(())
}

/// Everybody who has a role, acknowledged, or was notified, and has a contact there.
async fn invite<P: WarRoomPort>(
    room: &Room,
    port: &P,
    incident: &Incident,
    channel: &str,
    tracked: &mut Tracked,
) -> std::result::Result<(), Failure> {
    let mut involved: BTreeSet<String> = incident.roles.values().cloned().collect();
    involved.extend(incident.acknowledged.iter().map(|known| known.by.clone()));
    involved.extend(notified(room, incident.id).await?);
    for person in room.duty.people().into_iter().filter(|person| involved.contains(&person.name)) {
        let member = person.contacts.into_iter().find(|contact| contact.kind == ContactKind::Slack);
        if let Some(member) = member.and_then(|contact| contact.to)
            && !tracked.invited.contains(&member)
        {
            said(port.invite(channel, &member).await)?;
            tracked.invited.insert(member);
        }
    }
    Ok(())
}

async fn notified(room: &Room, id: Id) -> Result<Vec<String>> {
    let asked = sqlx::query_scalar(
        "SELECT DISTINCT person FROM deliveries WHERE incident = ? AND person IS NOT NULL",
    );
    Ok(asked.bind(number(id)).fetch_all(room.store.read()).await?)
}

/// Whether something that happened is not said yet, or is still on its way.
async fn posts_left(room: &Room, id: Id) -> Result<bool> {
    let left: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM deliveries \
         WHERE incident = ?1 AND channel = 'room' AND state IN ('queued', 'sending')) \
         + (SELECT count(*) FROM journal WHERE incident = ?1 AND kind = 'incident' \
         AND seq > (SELECT CAST(value AS INTEGER) FROM settings WHERE name = ?2))",
    )
    .bind(number(id))
    .bind(FOLLOWED)
    .fetch_one(room.store.read())
    .await?;
    Ok(left > 0)
}

/// What can never work is logged and left: the next change of the incident is another try.
fn said<T>(answer: std::result::Result<T, Failure>) -> std::result::Result<Option<T>, Failure> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(Failure::Never(why)) => {
            tracing::warn!(why, "a war room is not as its incident");
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

/// Runs a statement whose last parameter is the incident.
async fn set<const N: usize>(room: &Room, id: Id, sql: &'static str, values: [&String; N]) -> Result<()> {
    let mut writing = room.store.begin().await?;
    let mut query = sqlx::query::<Sqlite>(sql);
    for value in values {
        query = query.bind(value);
    }
    query.bind(number(id)).execute(&mut *writing).await?;
    writing.commit(&room.bus).await?;
    Ok(())
}

/// Slack refuses: people talk on the incident's page.
async fn fall_back(room: &Room, id: Id, why: &str) -> Result<()> {
    let mut writing = room.store.begin().await?;
    sqlx::query("UPDATE war_rooms SET kind = 'thread' WHERE incident = ?")
        .bind(number(id))
        .execute(&mut *writing)
        .await?;
    sqlx::query(
        "UPDATE deliveries SET state = 'failed', done_at = ?, error = ? \
         WHERE incident = ? AND channel = 'room' AND state = 'queued'",
    )
    .bind(micros(Utc::now()))
    .bind("the war room is a thread on the incident's page")
    .bind(number(id))
    .execute(&mut *writing)
    .await?;
    let text = format!("the war room is the thread on this page, because Slack gave no channel: {why}");
    let note = What::Noted {
        kind: EntryKind::Note,
        happened_at: Utc::now(),
        text,
        evidence: Vec::new(),
        sealed: false,
    };
    room.desk.act_with(writing, id, Source::ControlRoom, vec![note]).await?;
    Ok(())
}
