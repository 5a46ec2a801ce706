//! Ends processes that an earlier lab left behind, found through its state file and the mark in their environment.

use std::time::Duration;

use rustix::process::Signal;

use crate::{
    Error, Folder, Result,
    process::{self, ProcId},
    state::LabState,
};

/// Time for a leftover process to stop before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// Ends every process of a lab whose supervisor is gone; returns how many there were.
///
/// # Errors
/// When a process survives even SIGKILL, or belongs to another user.
pub async fn sweep(folder: &Folder) -> Result<usize> {
    let mut found: Vec<(ProcId, Signal)> = Vec::new();
    // A state file of another version is not a reason to refuse: the mark identifies its processes as well.
    if let Ok(Some(state)) = LabState::load(folder) {
        let parts = state.parts.iter().rev();
        found.extend(parts.filter_map(|part| Some((part.process?, part.stop.signal()))));
    }
    for process in process::marked(folder) {
        if !found.iter().any(|(known, _)| *known == process) {
            found.push((process, Signal::TERM));
        }
    }
    found.retain(|(process, _)| process.alive());
    for (process, signal) in &found {
        process.stop(*signal, GRACE).await;
    }
    if let Some((process, _)) = found.iter().find(|(process, _)| process.alive()) {
        return Err(Error::Survivor(process.pid));
    }
    LabState::remove(folder)?;
    Ok(found.len())
}
