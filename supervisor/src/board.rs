//! The one place where the state of the lab changes: every change is on disk before anyone is told of it.

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use tokio::sync::watch;

use crate::{
    home::Home,
    parts::Part,
    process::ProcId,
    state::{LabState, PartState, Phase, Status},
    terminal::say,
};

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Board {
    home: Arc<Home>,
    state: watch::Sender<LabState>,
}

impl Board {
    /// A board on which every part waits.
    pub(crate) fn new(home: &Home, parts: &[Part]) -> Self {
        let state = LabState {
            supervisor: ProcId::myself(),
            phase: Phase::Starting,
            started_at: Utc::now(),
            ready_ms: None,
            parts: parts.iter().map(|part| row(home, part)).collect(),
        };
        let board = Self { home: Arc::new(home.clone()), state: watch::Sender::new(state) };
        board.update(|_| {});
        board
    }

    /// Follows the state.
    pub(crate) fn watch(&self) -> watch::Receiver<LabState> {
        self.state.subscribe()
    }

    /// The state now.
    pub(crate) fn now(&self) -> LabState {
        self.state.borrow().clone()
    }

    /// Changes one part.
    pub(crate) fn part(&self, name: &str, change: impl FnOnce(&mut PartState)) {
        self.update(|state| {
            if let Some(part) = state.parts.iter_mut().find(|part| part.name == name) {
                change(part);
            }
        });
    }

    /// Moves the lab as a whole on; a failure is kept as the reason why it stops.
    pub(crate) fn phase(&self, phase: Phase) {
        self.update(|state| {
            if !matches!(state.phase, Phase::Failed { .. }) {
                state.phase = phase;
            }
        });
    }

    /// Notes that everything is ready.
    pub(crate) fn ready(&self, after: Duration) {
        self.update(|state| {
            state.ready_ms = u64::try_from(after.as_millis()).ok();
            if state.phase == Phase::Starting {
                state.phase = Phase::Ready;
            }
        });
    }

    fn update(&self, change: impl FnOnce(&mut LabState)) {
        self.state.send_modify(|state| {
            change(state);
            if let Err(error) = state.save(&self.home) {
                say(format!("lab: {error:#}"));
            }
        });
    }
}

fn row(home: &Home, part: &Part) -> PartState {
    PartState {
        name: part.name.clone(),
        ports: part.ports.clone(),
        admin: part.admin.clone(),
        probe: part.probe.clone(),
        stop: part.stop,
        status: Status::Waiting,
        process: None,
        started_at: None,
        ready_ms: None,
        restarts: 0,
        last_exit: None,
        log: home.log(&part.name),
    }
}
