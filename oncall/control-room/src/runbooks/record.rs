//! An event of a run is one transaction: its row, what guardrails keep in mind, the audit log, the timeline
//! of the incident, and the work of people once the run is over. Memory follows the commit, even if nobody waits for
//! it.

use std::sync::Arc;

use chrono::Utc;
use incident::Source;
use runbook::{
    Event, Run, What, Who,
    guardrails::{Ledger, noted},
    run::Ending,
};
use serde_json::json;

use super::{
    Held, Live, Runbooks, audit, name, rows,
    show::{self, incident_of},
    story, toil,
};
use crate::{bus::Kind, error::Result, room::Room, store::Writing};

/// How many events there are.
pub(super) fn count(events: &[Event]) -> i64 {
    i64::try_from(events.len()).unwrap_or(i64::MAX)
}

impl Runbooks {
    /// Something happens to a run, as `make` decides with what is committed; nothing, if it decides so or if
    /// it is no news.
    ///
    /// # Errors
    /// When the run refuses it, or the file fails. Nothing has happened then.
    pub(super) async fn record(
        &self,
        room: &Room,
        live: &Arc<Live>,
        make: impl FnOnce(&Run, &Ledger) -> Option<What> + Send,
    ) -> Result<()> {
        let mut writing = self.0.store.begin().await?;
        let Held { run: before, events } = live.held();
        let what = make(&before, &self.0.state.read().ledger);
        let Some(what) = what else { return Ok(()) };
        let event = Event { at: Utc::now(), what };
        if !before.is_news(&event) {
            return Ok(());
        }
        let mut run = before.clone();
        run.apply(&event)?;
        rows::put_event(&mut writing, live.number, events, &event).await?;
        self.settle(&mut writing, live.number, &before, &event).await?;
        self.follow_up(&mut writing, live.number, &run, &event).await?;
        let entries = story::entries(&before, &run, &event);
        let (incident, by) = (incident_of(&run), Source::Runbook(run.plan().runbook.name.clone()));
        self.remember(room, &mut writing, live, Held { run, events: events + 1 }, event.what);
        match incident.filter(|_| !entries.is_empty()) {
            Some(id) => room.desk.act_with(writing, id, by, entries).await.map(drop),
            None => writing.commit(&self.0.bus).await.map(drop),
        }
    }

    /// Everything but the row, the timeline and memory: the same for the first event of a run.
    pub(super) async fn follow_up(
        &self,
        writing: &mut Writing<'_>,
        number: i64,
        run: &Run,
        event: &Event,
    ) -> Result<()> {
        audit::add_event(writing, &name(number), event).await?;
        self.note(writing, noted(run, event)).await?;
        if let Some(end) = run.end() {
            rows::end_run(writing, number, end.at).await?;
            toil::put_run(writing, run, incident_of(run)).await?;
            let data = json!({
                "run": name(number), "how": end.how, "why": end.why, "undone": end.undone, "left": end.left,
            });
            audit::add(writing, event.at, "control-room", "run.ended", &data).await?;
        }
        let (state, text) = show::state(run);
        let news = json!({
            "run": name(number), "runbook": run.plan().runbook.name, "state": state, "text": text,
        });
        writing.journal(event.at, Kind::Runbook, incident_of(run), false, &news).await
    }

    /// Whose act it is, and what became of it.
    async fn settle(
        &self,
        writing: &mut Writing<'_>,
        number: i64,
        before: &Run,
        event: &Event,
    ) -> Result<()> {
        match &event.what {
            What::Begun { place, .. } => {
                if let Some(change) = before.plan().change(*place) {
                    rows::claim(writing, &change.key, number).await?;
                }
            }
            What::Done { place, ok, .. } => {
                if let Some(change) = before.plan().change(*place) {
                    rows::settle(writing, &change.key, number, *ok).await?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// In memory once it is committed.
    fn remember(&self, room: &Room, writing: &mut Writing<'_>, live: &Arc<Live>, held: Held, what: What) {
        let (inner, live, metrics) = (Arc::clone(&self.0), Arc::clone(live), room.metrics.runbooks.clone());
        writing.after(move || {
            match &what {
                What::Decided { decision, .. } => metrics.decided(decision.verdict),
                What::Done { place, ok, .. } => {
                    if let Some(change) = held.run.plan().change(*place) {
                        metrics.acted(change.verb, *ok);
                    }
                }
                _ => {}
            }
            if let Some(end) = held.run.end() {
                metrics.ended(&held.run.mode().to_string(), end.how);
                let told = end.how == Ending::Recommended && *held.run.by() == Who::Automation;
                if let Some(id) = incident_of(&held.run).filter(|_| told) {
                    inner.told.lock().insert((id, held.run.plan().runbook.name.clone()), end.at);
                }
                let mut open = inner.live.lock();
                open.remove(&live.number);
                metrics.open(open.len());
            }
            *live.held.lock() = held;
            live.wake.notify_one();
        });
    }
}
