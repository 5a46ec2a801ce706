//! An event of a release is one transaction: its row, and the end of the release. Memory follows the commit, even if nobody waits
//! for it. What changed is then told as a change of the system; a crash in between loses that note and nothing else.

use std::sync::Arc;

use chrono::Utc;
use release::{
    Plan, Run,
    dora::Delivery,
    run::{Event, What},
    view::news,
};
use serde_json::json;
use sqlx::SqliteConnection;

use super::{Held, Live, Releases, name, rows};
use crate::{access::Teller, changes::Change, error::Result, room::Room, runbooks::audit, store::Writing};

/// Who drives a release of this room, in the audit log.
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
        let mut held = live.held();
        let change = put(room, &mut writing, live, &mut held, (&what.at(Utc::now()), None)).await?;
        self.commit(room, live, writing, held, change.into_iter().collect()).await
    }

    /// Commits what was [`put`], and then tells it as changes.
    pub(super) async fn commit(
        &self,
        room: &Room,
        live: &Arc<Live>,
        mut writing: Writing<'_>,
        held: Held,
        changes: Vec<Change>,
    ) -> Result<()> {
        let (inner, own) = (Arc::clone(&self.0), Arc::clone(live));
        let metrics = room.metrics.releases.clone();
        writing.after(move || {
            let end = held.run.end().map(|end| end.how);
            *own.held.lock() = held;
            if let Some(how) = end {
                let mut open = inner.live.lock();
                open.remove(&own.number);
                metrics.ended(how);
                metrics.open(open.len());
            }
        });
        writing.commit(&self.0.bus).await?;
        for change in changes {
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

/// An event of a release that is not over, in a transaction; what everybody should know of it. With who tells it, if this
/// room does not drive the release.
///
/// # Errors
/// When the release refuses it, it is signed by another than its teller, or the file fails.
pub(super) async fn put(
    room: &Room,
    writing: &mut Writing<'_>,
    live: &Live,
    held: &mut Held,
    (event, teller): (&Event, Option<&Teller>),
) -> Result<Option<Change>> {
    held.run.apply(event)?;
    rows::put_event(writing, live.number, held.events, event).await?;
    audited(writing, &held.run, event, teller).await?;
    held.events += 1;
    if let Some(end) = held.run.end() {
        let delivery = Delivery::of(&held.run, live.record.written);
        rows::end(writing, live.number, end.at, delivery.as_ref()).await?;
    }
    Ok(change(room, &held.run, event, teller))
}

/// Who did what, in the audit log. Measurements are no acts. Who tells of another release answers for what nobody signs.
///
/// # Errors
/// When it is signed by another than its teller, or the file fails.
pub(super) async fn audited(
    connection: &mut SqliteConnection,
    run: &Run,
    event: &Event,
    teller: Option<&Teller>,
) -> Result<()> {
    let Plan { id, by: starter, .. } = run.plan();
    if let Some(teller) = teller {
        event.what.signed().into_iter().try_for_each(|name| teller.signs(name))?;
    }
    let driver = teller.map_or(ROOM, |teller| teller.answers(starter));
    let act = match &event.what {
        What::Measured { .. } | What::Settled => None,
        What::Started { plan } => Some((plan.by.as_str(), "release.started")),
        What::Committed { .. } => Some((driver, "release.committed")),
        What::Judged { .. } => Some((driver, "release.judged")),
        What::Expired => Some((driver, "release.expired")),
        What::Frozen { .. } => Some((driver, "release.frozen")),
        What::Failed { .. } => Some((driver, "release.failed")),
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
        audit::add(connection, end.at, driver, "release.ended", &data).await?;
    }
    Ok(())
}

/// What everybody should know: what users meet from now on, and how it ended.
fn change(room: &Room, run: &Run, event: &Event, teller: Option<&Teller>) -> Option<Change> {
    let (plan, text) = (run.plan(), news(run, event)?);
    let link =
        room.config.public_url.as_ref().and_then(|url| url.join(&format!("releases/{}", plan.id)).ok());
    Some(Change {
        at: event.at,
        kind: "release".to_owned(),
        service: Some(plan.service.clone()),
        text,
        by: teller.map_or(plan.by.as_str(), |teller| teller.answers(&plan.by)).to_owned(),
        link: link.map(String::from),
    })
}
