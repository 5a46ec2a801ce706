//! What all parts of the control room share: passed, never global, so that two of them run in one test process.

use std::sync::Arc;

use chassis_service::Chassis;

use crate::{
    access::Access, actions::Actions, bus::Bus, changes::Changes, config::RoomConfig, content::Content,
    desk::Desk, drills::Drills, duty::Duty, eyes::Eyes, metrics::RoomMetrics, notify::Notify,
    objectives::Objectives, papers::Papers, phone::Phone, releases::Releases, runbooks::Runbooks,
    store::Store, watch::Watch,
};

/// The parts. Cheap to clone.
#[derive(Clone)]
pub struct Room(Arc<Parts>);

/// What a [`Room`] consists of.
pub struct Parts {
    /// Flags and environment.
    pub config: RoomConfig,
    /// Tasks, shutdown, readiness.
    pub chassis: Chassis,
    /// What is exported.
    pub metrics: RoomMetrics,
    /// SQLite.
    pub store: Store,
    /// News for everyone.
    pub bus: Bus,
    /// Files that pages show: boards, runbooks, playbooks, objectives.
    pub content: Content,
    /// Incidents.
    pub desk: Desk,
    /// What changed in the system.
    pub changes: Changes,
    /// What reached people: `lab pages`.
    pub phone: Phone,
    /// Postmortems.
    pub papers: Papers,
    /// Objectives that were declared beside the files.
    pub objectives: Objectives,
    /// Who is on call, and escalation.
    pub duty: Duty,
    /// Notifications on their way, and war rooms.
    pub notify: Notify,
    /// Clients of the systems that observe.
    pub eyes: Eyes,
    /// What is going on now.
    pub watch: Watch,
    /// What changes the system.
    pub actions: Actions,
    /// Drills, and the run in progress.
    pub drills: Drills,
    /// Runs of runbooks, and automation.
    pub runbooks: Runbooks,
    /// Releases.
    pub releases: Releases,
    /// Who may do what.
    pub access: Access,
}

impl Room {
    /// From its parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl std::ops::Deref for Room {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
