//! Follows the journal: what happens to incidents is said in their war rooms, announced, and told to PagerDuty.
//!
//! The number of the last row that was followed is kept in the same transaction as what follows from it, so after a crash
//! nothing is missing and nothing is there twice. A program that was down catches up.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use incident::{Event, Id, Incident, Severity, What};

use super::{
    channel::Channel,
    circulate,
    message::{NewDelivery, number, queue},
    pagerduty::Action,
    rooms::Thread,
    talk,
};
use crate::{
    Room,
    bus::{Kind, Notice},
    error::{Error, Result},
    store::{Writing, journal_after},
};

/// The row of `settings` with the number of the last row that was followed.
pub(super) const FOLLOWED: &str = "notify.seq";
/// How many rows are followed in one transaction.
const AT_ONCE: usize = 500;
/// Until the next try after an error of the store.
const PAUSE: Duration = Duration::from_secs(1);

/// Follows until shutdown.
pub(super) async fn run(room: Room) {
    room.chassis.shutdown.run_until_cancelled(follow_journal(&room)).await;
}

async fn follow_journal(room: &Room) {
    let mut news = room.bus.listen();
    let mut followed = None;
    loop {
        match catch_up(room, &mut followed).await {
            // Missed news do not matter: the journal is what counts.
            Ok(()) => _ = news.recv().await,
            Err(error) => {
                tracing::error!(%error, "the journal cannot be followed; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn catch_up(room: &Room, followed: &mut Option<i64>) -> Result<()> {
    let mut seq = match *followed {
        Some(seq) => seq,
        None => room.store.setting(FOLLOWED, || "0".to_owned()).await?.parse().unwrap_or_default(),
    };
    loop {
        let notices = journal_after(&room.store, seq, AT_ONCE).await?;
        let Some(last) = notices.last().map(|notice| notice.seq) else { break };
        take(room, &notices, last).await?;
        seq = last;
        *followed = Some(seq);
    }
    *followed = Some(seq);
    Ok(())
}

/// Does what follows from these rows, up to number `last`.
async fn take(room: &Room, notices: &[Notice], last: i64) -> Result<()> {
    if notices.iter().all(|notice| notice.kind != Kind::Incident) {
        return Ok(());
    }
    let events: Vec<(i64, Id, Event)> = notices.iter().filter_map(event).collect();
    let ids: BTreeSet<Id> = events.iter().map(|(_, id, _)| *id).collect();
    let mut incidents = BTreeMap::new();
    for id in ids {
        match room.desk.get(id).await {
            Ok(incident) => _ = incidents.insert(id, incident),
            Err(Error::NoIncident(id)) => {
                tracing::error!(%id, "the journal names an incident that does not exist");
            }
            Err(error) => return Err(error),
        }
    }
    // Nothing is read outside of the transaction from here: in memory, both are one connection.
    let mut writing = room.store.begin().await?;
    for (seq, id, event) in &events {
        if let Some(incident) = incidents.get(id) {
            follow(room, &mut writing, incident, *seq, event).await?;
        }
    }
    // It exists since it was read.
    sqlx::query("UPDATE settings SET value = ? WHERE name = ?")
        .bind(last.to_string())
        .bind(FOLLOWED)
        .execute(&mut *writing)
        .await?;
    writing.commit(&room.bus).await?;
    incidents.into_keys().for_each(|id| room.notify.changed(id));
    Ok(())
}

/// An event of an incident that everybody may know.
fn event(notice: &Notice) -> Option<(i64, Id, Event)> {
    let id = notice.incident.filter(|_| notice.kind == Kind::Incident && !notice.sealed)?;
    match serde_json::from_value::<Event>(notice.data.clone()) {
        Ok(event) => Some((notice.seq, id, event)).filter(|(_, _, event)| !event.is_sealed()),
        Err(error) => {
            tracing::error!(seq = notice.seq, %error, "an event in the journal cannot be read");
            None
        }
    }
}

async fn follow(
    room: &Room,
    writing: &mut Writing<'_>,
    incident: &Incident,
    seq: i64,
    event: &Event,
) -> Result<()> {
    // Nobody outside hears of a rehearsal.
    if room.drills.rehearses(incident) {
        return Ok(());
    }
    let parts = room.notify.parts();
    let has_room = open(room, writing, incident).await?;
    if let Some(text) = news(event).filter(|_| has_room) {
        talk::post(writing, incident, &parts.base, event.at, event.by.name(), &text).await?;
    }
    let paper = circulate::postmortem(writing, incident, &parts.base, event).await?;
    if let Some(text) = paper.as_deref().filter(|_| has_room) {
        talk::post(writing, incident, &parts.base, event.at, event.by.name(), text).await?;
    }
    if has_room
        && parts.announcements.is_some()
        && let Some(text) = announcement(incident, event)
    {
        let text = match paper {
            Some(paper) => format!("{text}\n{paper}"),
            None => text,
        };
        let (key, title) = (format!("{}/announcement/{seq}", incident.id), headline(incident));
        let told = talk::delivery(incident, &parts.base, Channel::Announcement, key, title, text, event.at);
        queue(writing, &told).await?;
    }
    match &event.what {
        What::Acknowledged => tell_pagerduty(room, writing, incident, seq, event, Action::Acknowledge).await,
        What::Moved { to, .. } if !to.is_open() => {
            tell_pagerduty(room, writing, incident, seq, event, Action::Resolve).await
        }
        _ => Ok(()),
    }
}

/// Whether the incident has a war room; from SEV-3 on, or if it is a major one, it gets one.
async fn open(room: &Room, writing: &mut Writing<'_>, incident: &Incident) -> Result<bool> {
    let known: i64 = sqlx::query_scalar("SELECT count(*) FROM war_rooms WHERE incident = ?")
        .bind(number(incident.id))
        .fetch_one(&mut **writing)
        .await?;
    if known > 0 {
        return Ok(true);
    }
    if !incident.state.is_open() || (incident.severity > Severity::Sev3 && !incident.major) {
        return Ok(false);
    }
    let parts = room.notify.parts();
    let kind = if parts.slack.is_some() { "slack" } else { "thread" };
    // People can talk at once; a channel elsewhere follows.
    let url = Thread { base: parts.base.clone() }.url(incident.id);
    sqlx::query("INSERT INTO war_rooms (incident, kind, url, state) VALUES (?, ?, ?, 'opening')")
        .bind(number(incident.id))
        .bind(kind)
        .bind(url)
        .execute(&mut **writing)
        .await?;
    Ok(true)
}

/// PagerDuty learns it through each key by which it was paged.
async fn tell_pagerduty(
    room: &Room,
    writing: &mut Writing<'_>,
    incident: &Incident,
    seq: i64,
    event: &Event,
    action: Action,
) -> Result<()> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT address FROM deliveries \
         WHERE incident = ? AND channel = 'pagerduty' AND address IS NOT NULL",
    )
    .bind(number(incident.id))
    .fetch_all(&mut **writing)
    .await?;
    for name in names {
        let key = format!("{}/pagerduty/{name}/{action}/{seq}", incident.id);
        let base = &room.notify.parts().base;
        let text = event.by.name().to_owned();
        let told =
            talk::delivery(incident, base, Channel::Pagerduty, key, headline(incident), text, event.at);
        queue(writing, &NewDelivery { step: Some(action.to_string()), address: Some(name), ..told }).await?;
    }
    Ok(())
}

fn headline(incident: &Incident) -> String {
    format!("{} · {} · {}: {}", incident.id, incident.severity, incident.state, incident.title)
}

/// What an event is in the war room; the others are in the timeline only.
fn news(event: &Event) -> Option<String> {
    let because = |text: String, why: &str| {
        if why.trim().is_empty() { text } else { format!("{text}: {}", why.trim()) }
    };
    Some(match &event.what {
        What::Renamed { title } => format!("renamed to “{title}”"),
        What::SeveritySet { severity, why } => because(format!("now {severity}"), why),
        What::DeclaredMajor { why } => because("declared a major incident".to_owned(), why),
        What::Moved { to, why } => because(format!("now {to}"), why),
        What::Acknowledged => "acknowledged".to_owned(),
        What::AcknowledgementExpired => "the acknowledgement expired".to_owned(),
        What::Assigned { role, person } => format!("{person} is {role}"),
        What::Relieved { role } => format!("nobody is {role}"),
        What::Escalated { to, why } => because(format!("escalated to {}", to.join(", ")), why),
        What::Updated { text } => text.clone(),
        What::HypothesisConfirmed { id, why } => because(format!("hypothesis {id} is confirmed"), why),
        What::Recovered { what, .. } => format!("{what} is good again"),
        _ => return None,
    })
}

/// What of it is for everybody.
fn announcement(incident: &Incident, event: &Event) -> Option<String> {
    match &event.what {
        What::Opened { .. } => Some(incident.severity.meaning().to_owned()),
        What::SeveritySet { .. } | What::DeclaredMajor { .. } | What::Moved { .. } | What::Updated { .. } => {
            news(event)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use incident::{EntryKind, Source, State, Truth};
    use serde_json::json;

    use super::*;

    fn at() -> DateTime<chrono::Utc> {
        DateTime::UNIX_EPOCH
    }

    fn notice(what: What, sealed: bool) -> Notice {
        let event = Event { at: at(), by: Source::ControlRoom, what };
        Notice { seq: 1, at: at(), kind: Kind::Incident, incident: Some(Id(1)), sealed, data: json!(event) }
    }

    #[test]
    fn nothing_sealed_is_ever_followed() {
        let text = "the cache is slow".to_owned();
        let noted = |sealed| What::Noted {
            kind: EntryKind::Note,
            happened_at: at(),
            text: text.clone(),
            evidence: Vec::new(),
            sealed,
        };
        let (fault, service) = ("latency".to_owned(), "order-api".to_owned());
        let truth = What::TruthSealed { truth: Truth { fault, service, since: at(), by: "eve".to_owned() } };
        assert!(event(&notice(noted(false), false)).is_some());
        for hidden in [notice(noted(false), true), notice(noted(true), false), notice(truth, false)] {
            assert_eq!(event(&hidden), None);
        }
    }

    #[test]
    fn a_reason_is_said_if_there_is_one() {
        let said = |why: &str| {
            let what = What::Moved { to: State::Mitigated, why: why.to_owned() };
            news(&Event { at: at(), by: Source::ControlRoom, what })
        };
        assert_eq!(said(" rolled back ").as_deref(), Some("now mitigated: rolled back"));
        assert_eq!(said("").as_deref(), Some("now mitigated"));
    }
}
