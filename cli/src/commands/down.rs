//! `lab down`: asks the supervisor to stop, then makes sure that nothing is left, also after a crash.

use std::{fs, io::ErrorKind, path::Path, process::ExitCode, time::Duration};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::{args, home::Home, parts::postgres, state::LabState, supervisor::sweep};

/// The longest orderly stop: load, services, stores, one after the other, each within its grace.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the command. Stopping a lab that does not run is a success.
///
/// # Errors
/// When a process survives, or data cannot be deleted.
pub(crate) async fn run(home: &Home, down: &args::Down) -> Result<ExitCode> {
    let state = LabState::load(home).unwrap_or_default();
    let ran = match state.filter(|state| state.supervisor.alive()) {
        Some(state) => {
            state.supervisor.signal(Signal::TERM);
            if !state.supervisor.ended(PATIENCE).await {
                state.supervisor.kill_group();
            }
            true
        }
        None => false,
    };
    let left = sweep::sweep(home).await?;
    match (ran, left) {
        (true, 0) => eprintln!("lab: stopped"),
        (_, left) if left > 0 => eprintln!("lab: stopped; ended {left} processes that were left"),
        _ => eprintln!("lab: nothing runs in {}", home.dir.display()),
    }
    if down.purge {
        purge(home)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Deletes all that the lab of `home` wrote.
///
/// # Errors
/// When the folder holds something else, or cannot be deleted.
pub(crate) fn purge(home: &Home) -> Result<()> {
    // A --dir that points at somebody's folder by mistake must not cost them their files.
    let foreign = fs::read_dir(&home.dir).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let foreign: Vec<_> =
        foreign.filter(|name| !name.to_str().is_some_and(|name| OURS.contains(&name))).collect();
    if let Some(name) = foreign.first() {
        bail!("{} holds {}, which is not the lab's: nothing was deleted", home.dir.display(), name.display());
    }
    if let Some(outside) = postgres::outside(home) {
        remove(&outside)?;
    }
    remove(&home.dir)?;
    eprintln!("lab: deleted {}", home.dir.display());
    Ok(())
}

/// All that a lab writes into its folder.
const OURS: &[&str] = &[
    "alertmanager",
    "grafana",
    "jaeger",
    "kafka",
    "lock",
    "log",
    "loki",
    "postgres",
    "postgres.path",
    "prometheus",
    "redis",
    "state.json",
    "state.json.new",
];

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot delete {}", folder.display()))
        }
        _ => Ok(()),
    }
}
