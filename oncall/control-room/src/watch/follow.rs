//! What follows from the news: a new incident is looked into, one that ended is concluded, pages are counted.

use chrono::{DateTime, Utc};
use incident::{EntryKind, Event, Id, State, What};
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;

use super::{background, diagnose, ended, impact, note_failure, sli};
use crate::{
    bus::{Kind, Notice},
    room::Room,
};

/// Follows the news until the end.
pub(super) async fn run(room: Room) {
    let mut news = room.bus.listen();
    make_up(&room);
    ended::catch_up(&room).await;
    loop {
        match news.recv().await {
            Ok(notice) => take(&room, &notice),
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "news came too fast: what they began is made up for");
                ended::catch_up(&room).await;
            }
            Err(RecvError::Closed) => return,
        }
    }
}

/// Begins what the opening of an incident begins, if this program ended before it was done. Only while the beginning is within
/// the windows of pages: what is found later is about something else.
fn make_up(room: &Room) {
    let since = Utc::now() - sli::seconds(room.config.clock.pairs()[1].long);
    for incident in room.desk.open_ones() {
        if incident.opened_at < since {
            continue;
        }
        look_up_symptom(room, incident.id);
        if !incident.timeline.iter().any(|entry| entry.kind == EntryKind::Diagnosis) {
            look_into(room, incident.id);
        }
    }
}

/// Never waits: the work goes on in the background.
fn take(room: &Room, notice: &Notice) {
    match (notice.kind, notice.incident) {
        (Kind::Incident, Some(id)) => {
            // A row that this version does not know begins nothing.
            if let Ok(event) = serde_json::from_value::<Event>(notice.data.clone()) {
                act(room, id, &event.what);
            }
        }
        (Kind::Page, _) => count(room, &notice.data),
        _ => {}
    }
}

fn act(room: &Room, id: Id, what: &What) {
    match what {
        What::Opened { .. } => {
            look_up_symptom(room, id);
            look_into(room, id);
        }
        // The first alert of an objective may join later than a ticket.
        What::AlertFired { alert } if alert.labels.contains_key("slo") => look_up_symptom(room, id),
        What::Moved { to: State::Mitigated, .. } => {
            let own = room.clone();
            background(room, async move {
                if let Ok(incident) = own.desk.get(id).await {
                    note_failure("a cost", impact::update(&own, &incident).await.map(drop));
                }
            });
        }
        What::Moved { to: State::Resolved, .. } => background(room, ended::run(room.clone(), id)),
        _ => {}
    }
}

fn look_into(room: &Room, id: Id) {
    let own = room.clone();
    background(room, async move {
        note_failure("a diagnosis", diagnose::diagnose(&own, id).await.map(drop));
    });
}

/// Once at a time for each incident: several alerts join within a moment.
fn look_up_symptom(room: &Room, id: Id) {
    if !room.watch.0.looking.lock().insert(id) {
        return;
    }
    let own = room.clone();
    background(room, async move {
        let result = sli::note_symptom(&own, id).await;
        own.watch.0.looking.lock().remove(&id);
        note_failure("a symptom", result);
    });
}

/// Counts what reached the phone of the person on call.
fn count(room: &Room, page: &Value) {
    if page["kind"] != "alert" {
        return;
    }
    let time = |name: &str| {
        let time = page[name].as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        time.map(|time| time.with_timezone(&Utc))
    };
    let delay = time("starts_at").zip(time("received_at")).map(|(start, taken)| taken - start);
    room.metrics.page(page["severity"].as_str(), page["status"].as_str(), delay);
}
