//! What follows from the news: alerts that fire begin runbooks, acts by hand go to the audit log, time on
//! incidents to the ledger of toil, and a breaker that has opened pages a person. All of it can be made up
//! for after a crash or a lag.

use std::{sync::Arc, time::Duration};

use incident::{Event, Id, Severity, Source, State, What};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{MissedTickBehavior, interval},
};

use super::{audit, auto, rows, toil};
use crate::{
    bus::{Kind, Notice},
    desk::New,
    error::Result,
    room::Room,
};

/// Between two looks at everything: alerts that had to wait get another chance.
const PERIOD: Duration = Duration::from_secs(15);
/// How many incidents are looked at for work that was not written down.
const RECENT: usize = 50;

/// Follows the news until the end.
pub(super) async fn run(room: Room, mut news: Receiver<Arc<Notice>>) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut first = true;
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                if std::mem::take(&mut first) {
                    work(&room).await;
                }
                make_up(&room).await;
            }
            notice = news.recv() => match notice {
                Ok(notice) => take(&room, &notice).await,
                Err(RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "news came too fast: what they begin is made up for");
                    work(&room).await;
                    make_up(&room).await;
                }
                Err(RecvError::Closed) => return,
            },
        }
    }
}

async fn take(room: &Room, notice: &Notice) {
    match (notice.kind, notice.incident) {
        (Kind::Incident, Some(id)) => {
            // A row that this version does not know begins nothing.
            if let Ok(event) = serde_json::from_value::<Event>(notice.data.clone()) {
                incident(room, id, &event.what).await;
            }
        }
        (Kind::Action, _) => logged("acts by hand", audit::take_acts(room).await),
        (Kind::Runbook, _) => {
            room.metrics.runbooks.automation(room.runbooks.is_on());
            logged("a page", page(room).await);
            // Somebody has switched it on, or one that waited has its turn.
            if notice.data["automation"] == true || notice.data["state"] == "ended" {
                logged("what fires", auto::catch_up(room).await);
            }
        }
        _ => {}
    }
}

async fn incident(room: &Room, id: Id, what: &What) {
    match what {
        What::AlertFired { alert } => {
            auto::fired(room, id, alert).await;
        }
        What::Moved { to: to @ (State::Resolved | State::Closed | State::Dismissed), .. } => {
            auto::over(room, id, *to).await;
            logged("time on an incident", toil::put_incident(room, id).await);
        }
        _ => {}
    }
}

/// What fires and had to wait; pages that were not opened.
async fn make_up(room: &Room) {
    room.metrics.runbooks.automation(room.runbooks.is_on());
    room.metrics.runbooks.open(room.runbooks.under_way().len());
    logged("a page", page(room).await);
    logged("what fires", auto::catch_up(room).await);
}

/// Work that nobody has written down.
async fn work(room: &Room) {
    logged("acts by hand", audit::take_acts(room).await);
    for incident in room.desk.recent(RECENT).iter().filter(|incident| !incident.state.is_open()) {
        logged("time on an incident", toil::put_incident(room, incident.id).await);
    }
}

/// Pages a person, because automation has switched itself off: once, because the incident that pages and the note that it does
/// are one transaction.
async fn page(room: &Room) -> Result<()> {
    let store = &room.runbooks.0.store;
    let mut reader = store.read().acquire().await?;
    let due = rows::pages(&mut reader).await?;
    // Before anything is written: in memory there is only one connection.
    drop(reader);
    for (seq, text) in due {
        let new = New {
            title: "Automation has switched itself off".to_owned(),
            description: String::new(),
            severity: Severity::Sev2,
            services: Vec::new(),
        };
        let mut writing = store.begin().await?;
        let id = room.desk.next_id(&mut writing).await?;
        rows::paged(&mut writing, seq, id).await?;
        room.desk.create_with(writing, Source::ControlRoom, new, vec![What::Updated { text }]).await?;
    }
    Ok(())
}

/// Logs what could not be done; the next look tries again.
fn logged(what: &'static str, result: Result<()>) {
    if let Err(error) = result {
        tracing::warn!(%error, what, "not written down");
    }
}
