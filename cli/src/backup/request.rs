//! What a person asks of the supervisor: a task between two runs of a part, `lab backup swap`, requested by a file.

use std::{fs, path::PathBuf};

use anyhow::Result;
use supervisor::{part::Errand, state::LabState};

use crate::home::Home;

/// The part with the server.
pub(crate) const SERVER: &str = "postgres";

/// The task that the supervisor does between two runs of a part.
///
/// # Errors
/// When the path of this program is unknown.
pub(crate) fn errand(home: &Home, part: &str) -> Result<Errand> {
    Ok(Errand { request: request(home, part), line: home.again()?.args(["backup", "swap", part]) })
}

/// Where the task of a part is requested.
pub(crate) fn request(home: &Home, part: &str) -> PathBuf {
    home.dir.join("backup").join(format!("swap-{part}"))
}

/// The text of a request: empty for a restore; `None` if nothing was requested.
pub(crate) fn asked_for(home: &Home, part: &str) -> Option<String> {
    fs::read_to_string(request(home, part)).ok()
}

/// The state of the lab that runs here, if one does.
pub(crate) fn running(home: &Home) -> Option<LabState> {
    LabState::load(&home.dir).ok().flatten().filter(|state| state.supervisor.alive())
}
