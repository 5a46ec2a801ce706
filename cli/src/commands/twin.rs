//! Another lab beside the first one, in a temporary folder and on ports that are free. It goes away whatever happens to
//! this process.

use std::{
    collections::BTreeMap,
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};
use at_the_end::AtTheEnd;
use supervisor::state::LabState;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::{
    commands::torture::patient::{OTHERS, free_offset},
    installation::Installation,
    terminal::say,
};

/// Faults that take a core, the disk or the network of the machine, and not just of a process: a lab beside this one would be
/// sick with them. Not `executor-block`, whose threads sleep.
pub(super) const GREEDY: [&str; 4] = ["cpu-burn", "db-slow-query", "cache-hot-key", "disk-fill"];

/// What it has beside what every lab has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct More {
    /// Options of `lab up`.
    pub(super) options: Vec<String>,
    /// Variables of the environment of `lab up`.
    pub(super) variables: Vec<(&'static str, &'static str)>,
}

/// Gone when it is dropped.
pub(super) struct Twin {
    /// Where commands reach it.
    pub(super) place: Installation,
    _end: AtTheEnd,
    /// Dropped after the lab has ended.
    _folder: TempDir,
}

impl Twin {
    /// Starts it for `command`, such as `drill verify`, with as many replicas as the lab of `place` has, and waits until it is
    /// ready; not any longer when `now` is cancelled.
    ///
    /// # Errors
    /// When no lab runs on this machine, or the second one does not start, with what it said.
    pub(super) async fn up(command: &str, place: &Installation, now: &CancellationToken) -> Result<Self> {
        Self::with(command, place, &More::default(), now).await
    }

    /// The same, with more. Two that start at once may want the same ports.
    ///
    /// # Errors
    /// As [`Twin::up`].
    pub(super) async fn with(
        command: &str,
        place: &Installation,
        more: &More,
        now: &CancellationToken,
    ) -> Result<Self> {
        let home = place.all_here(&format!("{command} --lanes"))?;
        let replicas = replicas(&home.lab()?);
        let folder =
            tempfile::Builder::new().prefix("lab-beside-").tempdir().context("no temporary folder")?;
        let dir = folder.path().join("lab");
        let line = |args: &[&str]| -> Result<Command> {
            let mut command = Command::new(std::env::current_exe()?);
            command.arg("--root").arg(&home.root).arg("--dir").arg(&dir).args(args);
            Ok(command)
        };
        // Before it is started. What `lab down` says is of no interest, unless it fails.
        let failed = |why: &str| say(format_args!("stopping the other lab failed: {why}"));
        let down = line(&["down", "--purge"])?;
        let end = AtTheEnd::run(&down, Stdio::null(), failed).context("cannot run sh")?;
        let mut up = line(&["up", "--detach", "--port-offset", &free_offset()?.to_string()])?;
        // Of two numbers of replicas of one service, the last one counts.
        up.args(replicas.iter().map(|(service, count)| format!("--replicas={service}={count}")));
        up.args(&more.options);
        OTHERS.iter().for_each(|name| {
            up.env_remove(name);
        });
        up.envs(more.variables.iter().copied());
        if let Some(token) = place.token() {
            up.env("FAULTS_TOKEN", token);
        }
        // Ctrl-C in the terminal is for this command, which then ends the lab.
        up.stdin(Stdio::null()).process_group(0);
        let started = now.run_until_cancelled(tokio::process::Command::from(up).output()).await;
        let Some(started) = started else { bail!("left before the other lab was ready") };
        let started = started.context("cannot start another lab")?;
        if !started.status.success() {
            bail!("the other lab does not start:\n{}", String::from_utf8_lossy(&started.stderr).trim());
        }
        Ok(Self { place: place.beside(dir), _end: end, _folder: folder })
    }
}

/// How many replicas there are of each service that has several.
fn replicas(state: &LabState) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for part in state.parts.iter().filter(|part| part.admin.is_some()) {
        *all.entry(part.service().to_owned()).or_insert(0) += 1;
    }
    all.retain(|_, count| *count > 1);
    all
}
