//! What people do and what reaches them, from the journal: pages and tickets, acknowledgements, updates,
//! actions. The number of the last row from which something followed is kept with what followed, so after a
//! crash nothing is missing and nothing counts twice.

use std::time::Duration;

use chrono::{DateTime, Utc};
use drill::What;
use incident::{Event, Source};

use super::{
    acts,
    live::{Entry, Live},
    quiet::is_person,
};
use crate::{
    actions::Done,
    bus::{Kind, Notice},
    config::Instance,
    error::Result,
    phone::{Page, PageKind},
    room::Room,
    store,
};

/// Rows that are read at once.
const AT_ONCE: usize = 500;
/// Until the next try after an error of the store.
const PAUSE: Duration = Duration::from_secs(1);

/// Follows the journal while a run is in progress, until the end.
pub(super) async fn run(room: Room) {
    let mut bus = room.bus.listen();
    loop {
        if let Err(error) = catch_up(&room).await {
            tracing::warn!(%error, "the journal cannot be followed for a drill; trying again");
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        // Missed news do not matter: the journal is what counts.
        _ = bus.recv().await;
        // A storm of alerts is one look, and not thousands.
        while bus.try_recv().is_ok() {}
    }
}

/// Takes everything that the journal has and the run does not know.
///
/// # Errors
/// When the file fails.
pub(super) async fn catch_up(room: &Room) -> Result<()> {
    // One at a time, or something would count twice.
    let mut followed = room.drills.0.followed.lock().await;
    loop {
        let Some(live) = room.drills.live() else { return Ok(()) };
        if followed.0 != live.id {
            *followed = (live.id, live.followed);
        }
        let rows = store::journal_after(&room.store, followed.1, AT_ONCE).await?;
        let Some(last) = rows.last().map(|row| row.seq) else { return Ok(()) };
        let instances = &room.eyes.instances;
        let entries: Vec<Entry> = rows.iter().filter_map(|row| entry(row, &live, instances)).collect();
        if !entries.is_empty() {
            room.drills.note(live.id, entries, Some(last)).await?;
        }
        followed.1 = last;
    }
}

/// What a row means for the run; nothing, if it is not about what a responder sees or does.
fn entry(row: &Notice, live: &Live, instances: &[Instance]) -> Option<Entry> {
    if row.sealed {
        return None;
    }
    let (at, by, what) = match row.kind {
        Kind::Page => page(serde_json::from_value(row.data.clone()).ok()?)?,
        Kind::Incident => event(serde_json::from_value(row.data.clone()).ok()?)?,
        Kind::Action => action(&serde_json::from_value(row.data.clone()).ok()?, live, instances)?,
        _ => return None,
    };
    Some(Entry::event(live.at(at), by, what))
}

type Told = (DateTime<Utc>, String, What);

/// An alert reached the phone of the person on call, or its end did.
fn page(page: Page) -> Option<Told> {
    if page.kind != PageKind::Alert {
        return None;
    }
    let firing = page.status.as_deref() == Some("firing");
    let what = What::Notified {
        alert: page.alertname?,
        service: page.labels.get("service").cloned().unwrap_or_default(),
        page: page.severity.as_deref() == Some("page"),
        firing,
    };
    Some((page.received_at, "phone".to_owned(), what))
}

/// Somebody works on an incident of the run. No other is open: a run does not begin while there is one.
fn event(event: Event) -> Option<Told> {
    let by = event.by.name().to_owned();
    let what = match event.what {
        // Another system's acknowledgement is that of a person there.
        incident::What::Acknowledged if event.by != Source::ControlRoom => What::Acknowledged,
        incident::What::Updated { text } if is_person(&event.by) => What::Updated { text },
        incident::What::Opened { .. } if is_person(&event.by) => What::Noticed,
        _ => return None,
    };
    Some((event.at, by, what))
}

/// Somebody changed the system.
fn action(done: &Done, live: &Live, instances: &[Instance]) -> Option<Told> {
    if done.dry {
        return None;
    }
    let act = acts::act_of(&done.action, &live.drill, instances)?;
    Some((done.at, done.by.name().to_owned(), What::Acted { act }))
}
