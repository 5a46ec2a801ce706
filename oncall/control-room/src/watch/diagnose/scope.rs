//! What a first look covers: the affected services, their neighbours, and the time around the start.

use chrono::{DateTime, TimeDelta, Utc};
use incident::{Incident, Measures, Viewer};

use crate::{room::Room, watch::queries};

/// How long before the start it looks, on the production clock, and at least on any.
const HOUR: TimeDelta = TimeDelta::hours(1);
const LEAST: TimeDelta = TimeDelta::minutes(5);

/// What a look covers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scope {
    /// The affected services; all, if the incident names none.
    pub(super) services: Vec<String>,
    /// Those, and who calls them or is called by them.
    pub(super) around: Vec<String>,
    /// The hour before the start, on the lab's clock.
    pub(super) since: DateTime<Utc>,
    /// When the incident began, as far as everybody could see.
    pub(super) started: DateTime<Utc>,
    /// Base of the pages' addresses.
    pub(super) base: String,
    /// The window of rates.
    pub(super) window: String,
}

impl Scope {
    pub(super) fn of(room: &Room, incident: &Incident) -> Self {
        let known = room.eyes.services();
        let services: Vec<String> = match incident.services.is_empty() {
            true => known.clone(),
            false => incident.services.iter().cloned().collect(),
        };
        let graph = room.config.graph();
        let near = |name: &String| services.iter().any(|service| graph.near(service, name));
        let mut around: Vec<String> = services.clone();
        around.extend(known.into_iter().filter(|name| !services.contains(name) && near(name)));
        let started = Measures::of(incident, Viewer::Trainee).started_at;
        let speed = i32::try_from(room.config.speed()).unwrap_or(1).max(1);
        Self {
            services,
            around,
            since: started - (HOUR / speed).max(LEAST),
            started,
            base: room.config.base(),
            window: queries::window(room.config.clock).to_string(),
        }
    }

    /// A matcher for those and their neighbours.
    pub(super) fn nearby(&self) -> String {
        format!("service=~\"{}\"", queries::names(&self.around))
    }

    /// Whether a service is covered.
    pub(super) fn covers(&self, service: &str) -> bool {
        self.around.iter().any(|name| name == service)
    }
}
