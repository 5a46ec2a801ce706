//! What follows from the news: a new incident is looked into, one that ended is concluded, pages are counted.

use chrono::{DateTime, Utc};
use incident::{EntryKind, Event, Id, State, What};
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;

use super::{background, diagnose, ended, impact, note_failure, sli};
use crate::{
    bus::{Kind, Notice},
    error::Result,
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
                make_up(&room);
                ended::catch_up(&room).await;
            }
            Err(RecvError::Closed) => return,
        }
    }
}

/// Begins what the opening of an incident begins, if this program ended before it was done, or missed the news. Only while
/// the beginning is within the windows of pages: what is found later is about something else.
fn make_up(room: &Room) {
    let since = Utc::now() - sli::seconds(room.config.clock.pairs()[1].long);
    for incident in room.desk.open_ones() {
        if incident.opened_at < since {
            continue;
        }
        look_up_symptom(room, incident.id);
        look_into(room, incident.id);
    }
}

/// Never waits: the work continues in the background.
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

/// Once: an incident that opens during the start is among the open ones, and in the news.
fn look_into(room: &Room, id: Id) {
    let own = room.clone();
    one_at_a_time(room, "a diagnosis", id, async move {
        let incident = own.desk.get(id).await?;
        if !incident.timeline.iter().any(|entry| entry.kind == EntryKind::Diagnosis) {
            diagnose::diagnose(&own, id).await?;
        }
        Ok(())
    });
}

/// Several alerts join within a moment.
fn look_up_symptom(room: &Room, id: Id) {
    let own = room.clone();
    one_at_a_time(room, "a symptom", id, async move { sli::note_symptom(&own, id).await });
}

/// In the background, unless the same is under way for the same incident.
fn one_at_a_time(
    room: &Room,
    what: &'static str,
    id: Id,
    work: impl Future<Output = Result<()>> + Send + 'static,
) {
    if !room.watch.0.looking.lock().insert((what, id)) {
        return;
    }
    let own = room.clone();
    background(room, async move {
        let result = work.await;
        own.watch.0.looking.lock().remove(&(what, id));
        note_failure(what, result);
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
