//! Releases that a terminal drives in a cluster, where this room may change nothing: it is told each event, and keeps and shows
//! them as if they were its own. Nobody tells what another person did, except for a program that has HOOK_TOKEN.
//!
//! The terminal's file is what counts. It tells events by their place, so it may tell any of them again, and after a gap it goes
//! back to what this room knows.

use std::sync::Arc;

use release::{Run, fleet::Version, run::Event};

use super::{Held, Live, Record, Releases, name, no_release, number, record, rows};
use crate::{
    access::Teller,
    error::{Error, Result},
    room::Room,
};

impl Releases {
    /// Takes the events of a release; `from` others come before them. Those that are known already are left out. How many are
    /// known now: less than `from` if some are missing before these, which are not taken then.
    ///
    /// # Errors
    /// When the release is another one, or this room's own, its events do not fit, a new one is signed by another than its
    /// teller, or the file fails. None is taken then.
    pub async fn told(
        &self,
        room: &Room,
        teller: &Teller,
        id: &str,
        from: usize,
        events: &[Event],
    ) -> Result<usize> {
        let number = number(id).ok_or_else(|| no_release(id))?;
        let first = events.first().filter(|_| from == 0);
        let known = self.0.live.lock().get(&number).cloned();
        let live = match known {
            Some(live) => live,
            None => match (self.past(number).await?, first) {
                (Some((record, past)), _) => return same(&record, &past, first).map(|()| events_of(&past)),
                (None, Some(first)) => {
                    let mut signed = events.iter().flat_map(|event| event.what.signed());
                    signed.try_for_each(|name| teller.signs(name))?;
                    self.met(room, teller, number, first).await?
                }
                (None, None) => return Ok(0),
            },
        };
        let mut writing = self.0.store.begin().await?;
        let mut held = live.held();
        same(&live.record, &held, first)?;
        let known = events_of(&held);
        let Some(behind) = known.checked_sub(from).filter(|behind| *behind < events.len()) else {
            return Ok(known);
        };
        let mut changes = Vec::new();
        for event in &events[behind..] {
            let told = (event, Some(teller));
            changes.extend(record::put(room, &mut writing, &live, &mut held, told).await?);
        }
        let known = events_of(&held);
        self.commit(room, &live, writing, held, changes).await?;
        Ok(known)
    }

    /// A release that is over, if there is one of this number.
    async fn past(&self, number: i64) -> Result<Option<(Record, Held)>> {
        let mut reader = self.0.store.read().acquire().await?;
        let Some(record) = rows::record(&mut reader, number).await? else { return Ok(None) };
        let events = rows::events(&mut reader, number).await?;
        let held = Held { run: Run::replay(&events)?, events: record::count(&events) };
        Ok(Some((record, held)))
    }

    /// Begins one with its first event.
    async fn met(&self, room: &Room, teller: &Teller, number: i64, first: &Event) -> Result<Arc<Live>> {
        let run = Run::start(first)?;
        let plan = run.plan();
        if plan.id != name(number) {
            let expected = format!("expected the start of {}, found that of {}", name(number), plan.id);
            return Err(Error::field("/events", expected));
        }
        let record = Record {
            old: Version::built(&plan.old),
            new: Version::built(&plan.new),
            written: plan.written.unwrap_or(first.at),
            git: false,
            told: true,
        };
        let mut writing = self.0.store.begin().await?;
        let quicker = self.0.live.lock().get(&number).cloned();
        if let Some(live) = quicker {
            return Ok(live);
        }
        rows::put(&mut writing, number, &plan.service, &record, first.at).await?;
        rows::put_event(&mut writing, number, 0, first).await?;
        record::audited(&mut writing, &run, first, Some(teller)).await?;
        let live = Live::new(number, record, run, 1);
        let (inner, begun, metrics) = (Arc::clone(&self.0), Arc::clone(&live), room.metrics.releases.clone());
        writing.after(move || {
            let mut open = inner.live.lock();
            open.insert(number, begun);
            metrics.open(open.len());
        });
        writing.commit(&self.0.bus).await?;
        Ok(live)
    }
}

fn events_of(held: &Held) -> usize {
    usize::try_from(held.events).unwrap_or_default()
}

/// Refuses to take events of another release as those of this one.
fn same(record: &Record, held: &Held, first: Option<&Event>) -> Result<()> {
    let plan = held.run.plan();
    if !record.told {
        return Err(Error::Conflict(format!("{} is a release that this control room drives", plan.id)));
    }
    match first {
        Some(first) if first.at != held.run.started() => Err(Error::Conflict(format!(
            "{} is another release here, of {} {}: from another checkout, or an earlier file of events",
            plan.id, plan.service, plan.new
        ))),
        _ => Ok(()),
    }
}
