//! `lab down`: asks the supervisor to stop, then makes sure that no process is left, even after a crash.

use std::{fs, io::ErrorKind, path::Path, process::ExitCode, time::Duration};

use anyhow::{Context, Result, bail};
use clap::Args;
use rustix::process::Signal;
use supervisor::{
    lock::{self, Lock, Taken},
    state::LabState,
    sweep,
};

use crate::{home::Home, parts::postgres, terminal::say};

/// The longest orderly stop: the load, the services, then the stores, each within its grace period.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a killed process may take to disappear.
const KILLED: Duration = Duration::from_secs(5);

/// Exits with 0 if no lab runs.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:\n  \
    lab down             stop everything, keep the data\n  \
    lab down --purge     stop everything, and delete all data, logs and state of this lab")]
pub(crate) struct Down {
    /// Also delete the lab's folder, and PostgreSQL's data if they are elsewhere.
    #[arg(long)]
    purge: bool,
}

impl Down {
    /// Runs the command.
    ///
    /// # Errors
    /// When a process survives, or data cannot be deleted.
    pub(crate) async fn run(self, home: &Home) -> Result<ExitCode> {
        let (ran, lock) = stop(home).await?;
        let left = sweep(&home.dir).await?;
        match (ran, left) {
            (true, 0) => say("lab: stopped"),
            (_, left) if left > 0 => say(format!("lab: stopped; ended {left} leftover processes")),
            _ => say(format!("lab: nothing runs in {}", home.dir.display())),
        }
        if self.purge {
            purge(home)?;
        }
        drop(lock);
        Ok(ExitCode::SUCCESS)
    }
}

/// Stops the supervisor, which stops the parts. Returns whether one ran, and the lock that proves that it has ended.
///
/// # Errors
/// When the supervisor does not end, or cannot be told from other processes.
async fn stop(home: &Home) -> Result<(bool, Option<Lock>)> {
    let named = match lock::take(&home.dir)? {
        Some(Taken::By(named)) => named,
        Some(Taken::Ours(lock)) => return Ok((false, Some(lock))),
        None => return Ok((false, None)),
    };
    // An earlier version did not write its pid into the lock.
    let state = LabState::load(&home.dir);
    let noted = state.as_ref().ok().and_then(Option::as_ref).map(|state| state.supervisor);
    let Some(supervisor) = named.or(noted).filter(|process| process.alive()) else {
        let why = state.err().map_or_else(String::new, |error| format!(" ({error:#})"));
        bail!(
            "a lab runs in {}, but its supervisor is unknown{why}: find the process that holds {} and end it",
            home.dir.display(),
            home.dir.lock().display()
        );
    };
    supervisor.signal(Signal::TERM);
    if !supervisor.ended(PATIENCE).await {
        supervisor.kill_group();
        supervisor.ended(KILLED).await;
    }
    match lock::take(&home.dir)? {
        Some(Taken::By(_)) => bail!("the supervisor (pid {}) does not stop", supervisor.pid),
        Some(Taken::Ours(lock)) => Ok((true, Some(lock))),
        None => Ok((true, None)),
    }
}

/// Deletes everything that the lab of `home` wrote.
///
/// # Errors
/// When the folder holds something else, or cannot be deleted.
pub(crate) fn purge(home: &Home) -> Result<()> {
    // A --dir that points at another folder by mistake must not cost anyone their files.
    let foreign = fs::read_dir(&*home.dir).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let foreign: Vec<_> =
        foreign.filter(|name| !name.to_str().is_some_and(|name| OURS.contains(&name))).collect();
    if let Some(name) = foreign.first() {
        bail!("{} holds {}, which is not the lab's: nothing was deleted", home.dir.display(), name.display());
    }
    if let Some(outside) = postgres::outside(home) {
        remove(&outside)?;
    }
    remove(&home.dir)?;
    say(format!("lab: deleted {}", home.dir.display()));
    Ok(())
}

/// Everything that a lab writes into its folder.
const OURS: &[&str] = &[
    "alertmanager",
    "audit",
    "backup",
    "backups",
    // deploy/ship: services that are no part of it, and end with it.
    "beside",
    "chaos",
    "cloud",
    "control-room",
    "data",
    "edge",
    "gamedays",
    "gitops.git",
    "gitops.json",
    "gitops.json.new",
    "gitops.sync",
    "gitops.sync.new",
    "grafana",
    "held",
    "jaeger",
    "kafka",
    "load",
    "lock",
    "log",
    "loki",
    "objects",
    "opensearch",
    "postgres",
    "postgres-exporter",
    "postgres.path",
    "postmortems",
    "prometheus",
    "redis",
    "releases",
    "reports",
    "restart",
    "scripts",
    "secrets",
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
