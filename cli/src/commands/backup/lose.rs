//! What a drill does to the data of PostgreSQL, and how it is undone: [`crate::backup::lost`].

use std::{process::ExitCode, time::Duration};

use anyhow::{Result, ensure};
use rustix::process::Signal;

use crate::{
    backup::{lost, request::SERVER},
    home::Home,
};

/// Longest time for a killed server to be gone.
const GONE: Duration = Duration::from_secs(10);

/// Puts the data away, and kills the server. It is started again and again, and finds none.
///
/// # Errors
/// When no lab runs, or the server does not end.
pub(super) async fn lose(home: &Home) -> Result<ExitCode> {
    let state = home.lab()?;
    lost::lose(home)?;
    if let Some(process) = state.part(SERVER).and_then(|part| part.process) {
        process.signal(Signal::KILL);
        ensure!(process.ended(GONE).await, "PostgreSQL does not end");
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes the data back. The supervisor starts the server again by itself.
///
/// # Errors
/// When a folder can be neither renamed nor removed.
pub(super) fn find(home: &Home) -> Result<ExitCode> {
    lost::find(home)?;
    Ok(ExitCode::SUCCESS)
}
