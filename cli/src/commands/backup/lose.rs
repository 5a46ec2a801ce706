//! What a drill does to the data of PostgreSQL, and how it is undone: [`crate::backup::lost`].

use std::{process::ExitCode, time::Duration};

use anyhow::{Result, ensure};
use rustix::process::Signal;

use crate::{
    backup::{lost, request::SERVER},
    failover::half,
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

/// Takes the data back. The supervisor starts the server again by itself. A failover that was begun is ended first: then it has
/// the replica's data.
///
/// # Errors
/// When a failover cannot be ended, or a folder can be neither renamed nor removed.
pub(super) async fn find(home: &Home) -> Result<ExitCode> {
    half::settle(home).await?;
    ensure!(
        lost::find(home)?,
        "the promoted replica has not yet taken the place of the data: `lab failover` ends that"
    );
    Ok(ExitCode::SUCCESS)
}
