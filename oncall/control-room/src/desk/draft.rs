//! Changes that are not committed yet. Every change of an incident goes through here: applied to a copy, written to the
//! journal, committed, and only then in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use incident::{
    Event, Id, Incident, Source, What,
    alerts::{Alert, Book},
    correlate::Verdict,
};

use super::{Desk, New, rows, title};
use crate::{
    access::SOMEBODY,
    bus::Kind,
    error::{Error, Result},
    store::Writing,
};

/// One transaction about incidents. Nothing has happened if it is dropped.
pub(super) struct Draft<'s> {
    pub(super) writing: Writing<'s>,
    pub(super) at: DateTime<Utc>,
    desk: Desk,
    by: Source,
    incidents: BTreeMap<Id, Arc<Incident>>,
    changed: BTreeSet<Id>,
    book: Option<Book>,
}

impl<'s> Draft<'s> {
    /// Begins with what is committed; `by` does what is done.
    pub(super) fn new(desk: &Desk, writing: Writing<'s>, by: Source, at: DateTime<Utc>) -> Self {
        // Nobody else writes while `writing` exists, so this stays what is committed.
        let incidents = desk.0.memory.read().incidents.clone();
        Self { writing, at, desk: desk.clone(), by, incidents, changed: BTreeSet::new(), book: None }
    }

    /// All incidents in memory, oldest first.
    pub(super) fn incidents(&self) -> impl DoubleEndedIterator<Item = &Incident> {
        self.incidents.values().map(|incident| &**incident)
    }

    /// The alerts, as they will be.
    pub(super) fn book(&mut self) -> &mut Book {
        self.book.get_or_insert_with(|| self.desk.0.memory.read().book.clone())
    }

    /// Where an alert belongs.
    pub(super) fn decide(&self, alert: &Alert) -> Verdict {
        self.desk.0.correlator.decide(alert, self.incidents(), self.at)
    }

    /// The incident as it will be. Do not keep a clone of the `Arc` over a change: the change would copy all of it.
    pub(super) async fn load(&mut self, id: Id) -> Result<&mut Arc<Incident>> {
        let is_known = self.incidents.contains_key(&id);
        if !is_known {
            let events = rows::events(&mut self.writing, id).await?;
            if events.is_empty() {
                return Err(Error::NoIncident(id));
            }
            self.incidents.insert(id, Arc::new(Incident::replay(&events)?));
        }
        self.incidents.get_mut(&id).ok_or(Error::NoIncident(id))
    }

    /// A new incident.
    pub(super) async fn open(&mut self, new: New, previous: Option<Id>) -> Result<Id> {
        title::check(&new.title)?;
        title::check_description(&new.description)?;
        let id = rows::next(&mut self.writing).await?;
        let New { title, description, severity, services } = new;
        let description = description.trim().to_owned();
        let what = What::Opened { id, title, description, severity, services, previous };
        let event = Event { at: self.at, by: self.by.clone(), what };
        let incident = Incident::open(&event)?;
        // Now, because the next new one counts from it.
        rows::put(&mut self.writing, &incident).await?;
        self.incidents.insert(id, Arc::new(incident));
        self.keep(id, &event).await?;
        Ok(id)
    }

    /// Something happens to an incident.
    pub(super) async fn apply(&mut self, id: Id, what: What) -> Result<()> {
        let by = self.by.clone();
        self.apply_by(by, id, what).await
    }

    /// Something happens to an incident by a rule of the control room.
    pub(super) async fn apply_rule(&mut self, id: Id, what: What) -> Result<()> {
        self.apply_by(Source::ControlRoom, id, what).await
    }

    async fn apply_by(&mut self, by: Source, id: Id, what: What) -> Result<()> {
        if let What::Renamed { title } = &what {
            title::check(title)?;
        }
        let at = self.at;
        let incident = self.load(id).await?;
        // A clock that was set back must not put events out of order.
        let event = Event { at: at.max(incident.updated_at), by, what };
        Arc::make_mut(incident).apply(&event)?;
        // Nobody can be asked for if it is not known who it was.
        let implied = incident.implied(&event).filter(|_| event.by.name() != SOMEBODY);
        self.keep(id, &event).await?;
        let Some(what) = implied else { return Ok(()) };
        let event = Event { at: event.at, by: Source::ControlRoom, what };
        Arc::make_mut(self.load(id).await?).apply(&event)?;
        self.keep(id, &event).await
    }

    async fn keep(&mut self, id: Id, event: &Event) -> Result<()> {
        self.changed.insert(id);
        self.writing.journal(event.at, Kind::Incident, Some(id), event.is_sealed(), event).await
    }

    /// Commits; memory has it before listeners are told.
    pub(super) async fn commit(mut self) -> Result<()> {
        self.incidents.retain(|id, _| self.changed.contains(id));
        for incident in self.incidents.values() {
            rows::put(&mut self.writing, incident).await?;
        }
        let (inner, incidents, book) = (Arc::clone(&self.desk.0), self.incidents, self.book);
        self.writing.after(move || inner.memory.write().take(incidents, book));
        self.writing.commit(&self.desk.0.bus).await?;
        Ok(())
    }

    /// Commits, and answers this incident.
    pub(super) async fn finish(mut self, id: Id) -> Result<Arc<Incident>> {
        let incident = Arc::clone(self.load(id).await?);
        self.commit().await?;
        Ok(incident)
    }
}
