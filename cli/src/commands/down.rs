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

#[cfg(test)]
mod tests {
    use supervisor::Folder;
    use tempfile::TempDir;

    use super::*;

    /// A lab that has written everything it can write, and services beside it.
    fn written() -> (TempDir, Home) {
        let folder = tempfile::tempdir().unwrap();
        let home = Home {
            root: folder.path().to_path_buf(),
            dir: Folder::at(&folder.path().join(".lab")),
            token: None,
        };
        for name in OURS {
            fs::create_dir_all(home.dir.join(name)).unwrap();
        }
        fs::create_dir(home.dir.join("beside/hello")).unwrap();
        fs::write(home.dir.join("beside/hello/pid"), "1\n").unwrap();
        (folder, home)
    }

    #[test]
    fn a_purge_deletes_all_that_the_lab_wrote_and_what_runs_beside_it() {
        let (_folder, home) = written();
        purge(&home).unwrap();
        assert!(!home.dir.exists(), "the folder is left");
        // A second one finds nothing, and that is fine.
        purge(&home).unwrap();
    }

    #[test]
    fn a_purge_deletes_nothing_if_one_name_is_not_the_labs() {
        let (_folder, home) = written();
        fs::write(home.dir.join("thesis.txt"), "").unwrap();
        let refused = purge(&home).unwrap_err().to_string();
        assert!(
            refused.ends_with("holds thesis.txt, which is not the lab's: nothing was deleted"),
            "{refused}"
        );
        assert!(home.dir.join("beside/hello/pid").exists(), "something was deleted");
    }

    #[test]
    fn what_ship_writes_into_the_folder_is_the_labs() {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/ship");
        let script = fs::read_to_string(script).unwrap();
        let named = |rest: &str| rest.split(['/', '"', ' ', '\n']).next().map(str::to_owned);
        let names: Vec<String> = script.split("$folder/").skip(1).filter_map(named).collect();
        assert!(names.iter().any(|name| name == "beside"), "{names:?}");
        let foreign: Vec<_> = names.iter().filter(|name| !OURS.contains(&name.as_str())).collect();
        assert!(foreign.is_empty(), "OURS misses {foreign:?}, so `lab down --purge` would refuse");
    }
}
