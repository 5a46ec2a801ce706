//! `lab up --detach`: runs the same command in the background, and watches it until its lab is ready.

use std::{
    os::unix::process::CommandExt,
    process::{Command, ExitCode, ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use supervisor::{
    logfile,
    process::ProcId,
    state::{LabState, Phase},
};

use super::{
    lock,
    tell::{TAIL, report_failure, welcome},
};
use crate::{home::Home, parts::environment, progress::Progress, terminal::say};

/// Starts the same command in the background; returns when its lab is ready or has given up.
pub(super) async fn detach(home: &Home) -> Result<ExitCode> {
    // Locked and unlocked at once: the state of a lab that already runs must not be taken for that of the new one.
    drop(lock(home)?);
    let log = home.dir.log("lab");
    logfile::start_over(&log);
    let output = logfile::open(&log)?;
    let mut child = Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .arg("--background")
        .envs(environment::ALLOCATOR.iter().copied())
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .process_group(0)
        .spawn()
        .context("cannot start the lab in the background")?;
    let supervisor = ProcId::of(child.id());
    let mut progress = Progress::new();
    let mut failed = None;
    loop {
        // An unreadable state is of another version: the new supervisor is about to replace it.
        let state = LabState::load(&home.dir).ok().flatten();
        if let Some(state) = state.filter(|state| Some(state.supervisor) == supervisor) {
            progress.show(&state);
            match state.phase {
                Phase::Ready => {
                    progress.finish();
                    welcome(&state, true);
                    return Ok(ExitCode::SUCCESS);
                }
                Phase::Failed { .. } => failed = Some(state),
                Phase::Starting | Phase::Stopping => {}
            }
        }
        if let Some(status) = child.try_wait()? {
            progress.finish();
            return Ok(give_up(home, failed.as_ref(), status));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn give_up(home: &Home, failed: Option<&LabState>, status: ExitStatus) -> ExitCode {
    if let Some(state) = failed {
        report_failure(state);
    }
    // Its last lines say why; the lines about single parts were shown already.
    let log = logfile::tail(&home.dir.log("lab"), TAIL);
    let words: Vec<_> = log.iter().skip_while(|line| !line.starts_with("lab: ")).collect();
    for line in words {
        say(line);
    }
    say(format!("lab: the lab did not start ({status})"));
    ExitCode::FAILURE
}
