//! An event of a release is one transaction: its row, and the end of the release. Memory follows the commit, even if nobody waits
//! for it. What changed is then told as a change of the system; a crash in between loses that note and nothing else.

use std::sync::Arc;

use chrono::Utc;
use release::{
    Run,
    dora::Delivery,
    run::{Event, What},
    view::news,
};
use serde_json::json;
use sqlx::SqliteConnection;

use super::{Held, Live, Releases, name, rows};
use crate::{changes::Change, error::Result, room::Room, runbooks::audit};

/// Who acts if no person does, in the audit log.
const ROOM: &str = "control-room";

/// How many events there are.
pub(super) fn count(events: &[Event]) -> i64 {
    i64::try_from(events.len()).unwrap_or(i64::MAX)
}

impl Releases {
    /// Something happens to a release.
    ///
    /// # Errors
    /// When the release refuses it, or the file fails. Nothing has happened then.
    pub(super) async fn record(&self, room: &Room, live: &Arc<Live>, what: What) -> Result<()> {
        let mut writing = self.0.store.begin().await?;
        let Held { mut run, events } = live.held();
        let event = what.at(Utc::now());
        run.apply(&event)?;
        rows::put_event(&mut writing, live.number, events, &event).await?;
        audited(&mut writing, &run, &event).await?;
        let end = run.end().cloned();
        if let Some(end) = &end {
            let delivery = Delivery::of(&run, live.record.written);
            rows::end(&mut writing, live.number, end.at, delivery.as_ref()).await?;
        }
        let change = change(room, &run, &event);
        let (inner, own, held) = (Arc::clone(&self.0), Arc::clone(live), Held { run, events: events + 1 });
        let metrics = room.metrics.releases.clone();
        writing.after(move || {
            *own.held.lock() = held;
            if let Some(end) = end {
                let mut open = inner.live.lock();
                open.remove(&own.number);
                metrics.ended(end.how);
                metrics.open(open.len());
            }
        });
        writing.commit(&self.0.bus).await?;
        if let Some(change) = change {
            // The release is what matters: it continues.
            if let Err(error) = room.changes.record_in(&room.desk, change).await {
                tracing::warn!(release = name(live.number), %error, "a change could not be noted");
            }
        }
        if live.run().end().is_some() {
            self.measure(room).await;
        }
        Ok(())
    }
}

/// Who did what, in the audit log. Measurements are no acts.
pub(super) async fn audited(connection: &mut SqliteConnection, run: &Run, event: &Event) -> Result<()> {
    let id = &run.plan().id;
    let act = match &event.what {
        What::Measured { .. } | What::Settled => None,
        What::Started { plan } => Some((plan.by.as_str(), "release.started")),
        What::Committed { .. } => Some((ROOM, "release.committed")),
        What::Judged { .. } => Some((ROOM, "release.judged")),
        What::Expired => Some((ROOM, "release.expired")),
        What::Frozen { .. } => Some((ROOM, "release.frozen")),
        What::Failed { .. } => Some((ROOM, "release.failed")),
        What::Continued { by, .. } => Some((by.as_str(), "release.continued")),
        What::Aborted { by, .. } => Some((by.as_str(), "release.aborted")),
    };
    if let Some((who, action)) = act {
        let data = json!({ "release": id, "what": serde_json::to_value(&event.what)? });
        audit::add(connection, event.at, who, action, &data).await?;
    }
    // A release ends when what it wants is in force, which is no act of its own.
    if let Some(end) = run.end() {
        let data = json!({ "release": id, "how": end.how, "why": end.why });
        audit::add(connection, end.at, ROOM, "release.ended", &data).await?;
    }
    Ok(())
}

/// What everybody should know: what users meet from now on, and how it ended.
fn change(room: &Room, run: &Run, event: &Event) -> Option<Change> {
    let (plan, text) = (run.plan(), news(run, event)?);
    let link =
        room.config.public_url.as_ref().and_then(|url| url.join(&format!("releases/{}", plan.id)).ok());
    Some(Change {
        at: event.at,
        kind: "release".to_owned(),
        service: Some(plan.service.clone()),
        text,
        by: plan.by.clone(),
        link: link.map(String::from),
    })
}
