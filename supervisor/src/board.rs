//! The only place where the state of the lab changes: every change is on disk before anyone is told of it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::Utc;
use tokio::sync::watch;

use crate::{
    Folder, Part,
    process::ProcId,
    state::{LabState, PartState, Phase, Status},
};

/// Reports a problem to the user; each sentence is a line.
pub type Say = fn(&str);

/// Cheap to clone.
#[derive(Clone)]
pub struct Board {
    folder: Arc<Folder>,
    state: watch::Sender<LabState>,
    say: Say,
}

impl Board {
    /// A board on which every part is waiting.
    #[must_use]
    pub fn new(folder: &Folder, parts: &[Part], say: Say) -> Self {
        let state = LabState {
            supervisor: ProcId::myself(),
            phase: Phase::Starting,
            started_at: Utc::now(),
            ready_ms: None,
            labels: BTreeMap::new(),
            parts: parts.iter().map(|part| row(folder, part)).collect(),
        };
        let board = Self { folder: Arc::new(folder.clone()), state: watch::Sender::new(state), say };
        board.update(|_| {});
        board
    }

    /// Tells other commands something about this lab.
    pub fn label(&self, name: &str, value: &str) {
        self.update(|state| {
            state.labels.insert(name.to_owned(), value.to_owned());
        });
    }

    /// A receiver of every new state.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<LabState> {
        self.state.subscribe()
    }

    /// The current state.
    #[must_use]
    pub fn now(&self) -> LabState {
        self.state.borrow().clone()
    }

    /// Changes the state of one part.
    pub fn part(&self, name: &str, change: impl FnOnce(&mut PartState)) {
        self.update(|state| {
            if let Some(part) = state.parts.iter_mut().find(|part| part.name == name) {
                change(part);
            }
        });
    }

    /// Moves the lab to the next phase; a failure stays as the reason for stopping.
    pub fn phase(&self, phase: Phase) {
        self.update(|state| {
            if !matches!(state.phase, Phase::Failed { .. }) {
                state.phase = phase;
            }
        });
    }

    /// Records that everything is ready.
    pub fn ready(&self, after: Duration) {
        self.update(|state| {
            state.ready_ms = u64::try_from(after.as_millis()).ok();
            if state.phase == Phase::Starting {
                state.phase = Phase::Ready;
            }
        });
    }

    /// Adds a part, which waits.
    pub(crate) fn add(&self, part: &Part) {
        self.update(|state| state.parts.push(row(&self.folder, part)));
    }

    /// Removes a part.
    pub(crate) fn remove(&self, name: &str) {
        self.update(|state| state.parts.retain(|part| part.name != name));
    }

    /// Reports a sentence to the user.
    pub(crate) fn say(&self, sentence: &str) {
        (self.say)(sentence);
    }

    fn update(&self, change: impl FnOnce(&mut LabState)) {
        self.state.send_modify(|state| {
            change(state);
            if let Err(error) = state.save(&self.folder) {
                self.say(&error.to_string());
            }
        });
    }
}

fn row(folder: &Folder, part: &Part) -> PartState {
    PartState {
        name: part.name.clone(),
        instance_of: part.instance_of.clone(),
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
        log: folder.log(&part.name),
    }
}
