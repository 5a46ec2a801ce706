//! Incidents: what arrives, which incident it joins, what people do about it. Composes the pure `incident` with the store.
//!
//! The journal is the truth. Open incidents, the newest that ended, and those with open action items are also in memory;
//! others are replayed when they are asked for. Memory changes only after a commit, in the order of commits.

mod acts;
mod draft;
mod intake;
mod memory;
mod rows;
#[cfg(test)]
mod tests;
mod title;

use std::sync::Arc;

use anyhow::Context as _;
use incident::{
    Event, Id, Incident, Measures, Severity, State, Viewer,
    correlate::{Correlator, Graph},
};
use parking_lot::RwLock;

use crate::{
    bus::Bus,
    error::{Error, Result},
    store::Store,
};
use memory::Memory;

/// Incidents. Cheap to clone.
#[derive(Clone)]
pub struct Desk(Arc<Inner>);

struct Inner {
    store: Store,
    bus: Bus,
    correlator: Correlator,
    speed: u32,
    memory: RwLock<Memory>,
}

/// An incident that somebody opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct New {
    /// What people see: one line of 1 to 200 characters.
    pub title: String,
    /// What is known at the start: at most 2,000 characters; empty if the title says it all.
    pub description: String,
    /// How bad it looks.
    pub severity: Severity,
    /// Affected services, as far as known.
    pub services: Vec<String>,
}

/// Which incidents to list; what is absent does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Open or not.
    pub open: Option<bool>,
    /// In this state.
    pub state: Option<State>,
    /// Of this severity.
    pub severity: Option<Severity>,
    /// Affects this service.
    pub service: Option<String>,
}

/// What a message of another system did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// Incidents that it opened.
    pub opened: Vec<Id>,
    /// Others that it changed.
    pub changed: Vec<Id>,
    /// Parts of it that had no effect, and why.
    pub ignored: Vec<String>,
    /// How many of its alerts are the heartbeat of monitoring.
    pub alarms: usize,
}

impl Desk {
    /// Reads what is open and what ended last. `speed` is the lab clock's divisor.
    ///
    /// # Errors
    /// When the file fails or has events that are refused.
    pub async fn open(store: &Store, bus: &Bus, graph: Graph, speed: u32) -> anyhow::Result<Self> {
        let memory = recall(store).await.context("incidents cannot be read")?;
        Ok(Self(Arc::new(Inner {
            store: store.clone(),
            bus: bus.clone(),
            correlator: Correlator::new(graph, speed),
            speed,
            memory: RwLock::new(memory),
        })))
    }

    /// Those that somebody has to do something about: the worst first, of the same severity the oldest.
    #[must_use]
    pub fn open_ones(&self) -> Vec<Arc<Incident>> {
        let memory = self.0.memory.read();
        let open = memory.incidents.values().filter(|incident| incident.state.is_open());
        let mut open: Vec<Arc<Incident>> = open.cloned().collect();
        // Stable: they come in the order of their numbers.
        open.sort_by_key(|incident| incident.severity);
        open
    }

    /// The newest ones in memory, newest first.
    #[must_use]
    pub fn recent(&self, limit: usize) -> Vec<Arc<Incident>> {
        self.0.memory.read().incidents.values().rev().take(limit).cloned().collect()
    }

    /// An incident.
    ///
    /// # Errors
    /// [`Error::NoIncident`], or when the file fails.
    pub async fn get(&self, id: Id) -> Result<Arc<Incident>> {
        if let Some(known) = self.known(id) {
            return Ok(known);
        }
        let events = self.events(id).await?;
        Ok(Arc::new(Incident::replay(&events)?))
    }

    fn known(&self, id: Id) -> Option<Arc<Incident>> {
        self.0.memory.read().incidents.get(&id).cloned()
    }

    /// At most `limit` incidents before one, newest first.
    ///
    /// # Errors
    /// When the file fails.
    pub async fn list(
        &self,
        filter: &Filter,
        before: Option<Id>,
        limit: usize,
    ) -> Result<Vec<Arc<Incident>>> {
        let mut connection = self.0.store.read().acquire().await?;
        let ids = rows::list(&mut connection, filter, before, limit).await?;
        // It may be the only one.
        drop(connection);
        let mut incidents = Vec::with_capacity(ids.len());
        for id in ids {
            incidents.push(self.get(id).await?);
        }
        Ok(incidents)
    }

    /// All that happened to an incident, in order. Includes what is sealed.
    ///
    /// # Errors
    /// [`Error::NoIncident`], or when the file fails.
    pub async fn events(&self, id: Id) -> Result<Vec<Event>> {
        let mut connection = self.0.store.read().acquire().await?;
        let events = rows::events(&mut connection, id).await?;
        if events.is_empty() { Err(Error::NoIncident(id)) } else { Ok(events) }
    }

    /// The measures of resolved and closed incidents in memory, newest first, as far as somebody may know them.
    #[must_use]
    pub fn measures(&self, viewer: Viewer) -> Vec<(Id, Measures)> {
        let memory = self.0.memory.read();
        let over = |incident: &&Arc<Incident>| matches!(incident.state, State::Resolved | State::Closed);
        let ended = memory.incidents.values().rev().filter(over);
        ended.map(|incident| (incident.id, Measures::of(incident, viewer))).collect()
    }
}

async fn recall(store: &Store) -> Result<Memory> {
    let mut connection = store.read().acquire().await?;
    let mut memory = Memory { book: rows::book(&mut connection).await?, ..Memory::default() };
    for open in [true, false] {
        let filter = Filter { open: Some(open), ..Filter::default() };
        let most = if open { usize::MAX } else { memory::ENDED };
        for id in rows::list(&mut connection, &filter, None, most).await? {
            if !open && memory.is_full() {
                break;
            }
            let events = rows::events(&mut connection, id).await?;
            memory.incidents.insert(id, Arc::new(Incident::replay(&events)?));
        }
    }
    // However old it is, what is still to do nags.
    for id in rows::with_follow_ups(&mut connection).await? {
        if memory.incidents.contains_key(&id) {
            continue;
        }
        let incident = Incident::replay(&rows::events(&mut connection, id).await?)?;
        if incident.action_items().next().is_some() {
            memory.incidents.insert(id, Arc::new(incident));
        }
    }
    Ok(memory)
}
