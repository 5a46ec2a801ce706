//! What the supervisor knows about its parts, kept in `state.json` for every other command, and for the next `up`
//! after a crash. A process is identified by its pid and start time: a recycled pid is never mistaken for a part.

use std::{collections::BTreeMap, fs, io::ErrorKind, path::PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Error, Folder, Result, error::About as _, part::StopSignal, probe::Probe, process::ProcId};

/// One lab.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LabState {
    /// The process that runs the parts.
    pub supervisor: ProcId,
    /// Phase of the lab as a whole.
    pub phase: Phase,
    /// When `up` began.
    pub started_at: DateTime<Utc>,
    /// From the start of `up` until everything was ready, in milliseconds.
    pub ready_ms: Option<u64>,
    /// What the program that started the lab wants other commands to know, by name.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// In the order of the table.
    pub parts: Vec<PartState>,
}

/// Phase of the lab as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "name")]
pub enum Phase {
    /// Some parts have not been ready yet.
    Starting,
    /// Every part has been ready.
    Ready,
    /// A part did not start, and the lab is being stopped.
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
    /// The service, if it is a further instance of one.
    pub instance_of: Option<String>,
    /// Port numbers by name.
    pub ports: BTreeMap<String, u16>,
    /// Base URL of the admin port, for services: where `/faults` and `/protections` are.
    pub admin: Option<String>,
    /// How to ask whether it is ready.
    pub probe: Probe,
    /// The signal that asks it to stop.
    pub stop: StopSignal,
    /// Its current status.
    pub status: Status,
    /// Its process, if there is one.
    pub process: Option<ProcId>,
    /// When that process was started.
    pub started_at: Option<DateTime<Utc>>,
    /// From its start to its first readiness, in milliseconds.
    pub ready_ms: Option<u64>,
    /// How often it ended without being asked to.
    pub restarts: u32,
    /// How it last ended.
    pub last_exit: Option<String>,
    /// Its log.
    pub log: PathBuf,
}

/// Status of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Status {
    /// Waits for the parts that it needs.
    Waiting,
    /// Prepares its data folder.
    Preparing,
    /// Running, not ready yet.
    Starting,
    /// Has been ready since its last start.
    Ready,
    /// Ended; waiting for its next start.
    Backoff,
    /// Is being stopped.
    Stopping,
    /// Stopped on request.
    Stopped,
    /// Did not start.
    Failed,
}

impl Status {
    /// The word shown to users.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl PartState {
    /// The service that it is an instance of: for most parts, their own name.
    #[must_use]
    pub fn service(&self) -> &str {
        self.instance_of.as_ref().unwrap_or(&self.name)
    }
}

impl LabState {
    /// The state on disk; `None` if no lab is running here or the last one was stopped.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    pub fn load(folder: &Folder) -> Result<Option<Self>> {
        let path = folder.state();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).about("read", &path),
        };
        serde_json::from_str(&text).map(Some).map_err(|cause| Error::State { path, cause })
    }

    /// Writes the state atomically; a reader sees the old or the new one.
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

    /// Removes the state: nothing is running any more.
    ///
    /// # Errors
    /// When the file exists and cannot be removed.
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

    /// The number of a port by its name in the port table; `None` if that part does not run.
    #[must_use]
    pub fn port(&self, name: &str) -> Option<u16> {
        self.parts.iter().find_map(|part| part.ports.get(name).copied())
    }
}
