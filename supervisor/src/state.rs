//! What the supervisor knows about its parts, kept in `state.json` so that every other command, and the next `up` after a
//! crash, can read it. A process is named by its pid and its start time: a recycled pid is never mistaken for a part.

use std::{collections::BTreeMap, fs, io::ErrorKind, path::PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Error, Folder, Result, error::About as _, part::StopSignal, probe::Probe, process::ProcId};

/// One lab.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LabState {
    /// The process that looks after the parts.
    pub supervisor: ProcId,
    /// How far the lab as a whole is.
    pub phase: Phase,
    /// When `up` began.
    pub started_at: DateTime<Utc>,
    /// From the beginning of `up` until everything was ready, in milliseconds.
    pub ready_ms: Option<u64>,
    /// In the order of the table.
    pub parts: Vec<PartState>,
}

/// How far the lab as a whole is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "name")]
pub enum Phase {
    /// Some parts have not been ready yet.
    Starting,
    /// Every part has been ready.
    Ready,
    /// A part did not come up, and the lab is being stopped.
    Failed {
        /// The part.
        part: String,
        /// Why.
        reason: String,
    },
    /// Asked to stop.
    Stopping,
}

/// One part.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PartState {
    /// Name: also its log file's.
    pub name: String,
    /// Port numbers by name.
    pub ports: BTreeMap<String, u16>,
    /// Base URL of the admin port, for services: where `/faults` and `/protections` are.
    pub admin: Option<String>,
    /// How its readiness is asked for.
    pub probe: Probe,
    /// What asks it to stop.
    pub stop: StopSignal,
    /// Where it stands.
    pub status: Status,
    /// Its process while there is one.
    pub process: Option<ProcId>,
    /// When that process was started.
    pub started_at: Option<DateTime<Utc>>,
    /// From its start to its first readiness, in milliseconds.
    pub ready_ms: Option<u64>,
    /// How often it ended without being asked to.
    pub restarts: u32,
    /// How it ended the last time.
    pub last_exit: Option<String>,
    /// Its log.
    pub log: PathBuf,
}

/// Where a part stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Waits for the parts that it needs.
    Waiting,
    /// Prepares its data folder.
    Preparing,
    /// Runs, not ready yet.
    Starting,
    /// Was ready when last asked at its start.
    Ready,
    /// Ended; waits for its next start.
    Backoff,
    /// Is being stopped.
    Stopping,
    /// Stopped on request.
    Stopped,
    /// Did not come up.
    Failed,
}

impl Status {
    /// The word that people read.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Preparing => "preparing",
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Backoff => "backoff",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}

impl LabState {
    /// The state on disk; `None` when no lab runs here or the last one was stopped.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn load(folder: &Folder) -> Result<Option<Self>> {
        let path = folder.state();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).about("read", &path),
        };
        serde_json::from_str(&text).map(Some).map_err(|cause| Error::State { path, cause })
    }

    /// Writes the state; a reader sees the old or the new one, never half of one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, folder: &Folder) -> Result<()> {
        let path = folder.state();
        let draft = path.with_extension("json.new");
        fs::write(&draft, serde_json::to_vec_pretty(self)?)
            .and_then(|()| fs::rename(&draft, &path))
            .about("write", &path)
    }

    /// Removes the state: nothing runs any more.
    ///
    /// # Errors
    /// When the file is there and cannot be removed.
    pub fn remove(folder: &Folder) -> Result<()> {
        match fs::remove_file(folder.state()) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// A part by name.
    #[must_use]
    pub fn part(&self, name: &str) -> Option<&PartState> {
        self.parts.iter().find(|part| part.name == name)
    }

    /// The number of a port by its name in the port table; `None` where that part does not run.
    #[must_use]
    pub fn port(&self, name: &str) -> Option<u16> {
        self.parts.iter().find_map(|part| part.ports.get(name).copied())
    }
}
