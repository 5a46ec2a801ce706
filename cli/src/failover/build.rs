//! How a replica is made: a slot on the primary, a base backup, and one rename.

use std::{
    fs,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use recovery::failover::{Facts, Primary, Replica};
use rustix::process::Signal;
use supervisor::write_private;

use super::{Failover, REPLICA_FOLDER, build_request, watch};
use crate::{
    backup::{base::last_line, request::running},
    home::Home,
    parts::postgres::{Local, REPLICA, REPLICA_ROLE, pass_file},
};

/// In the request of a failover: the data of the old replica are about to be moved, and must not be touched before.
pub(super) const AFTER_MOVE: &str = "after the move";

/// Longest time for the primary to answer, and for the data to be moved. Less than the supervisor waits for a whole lab.
const PATIENCE: Duration = Duration::from_secs(45);
const AGAIN: Duration = Duration::from_millis(100);

/// Builds the lab's replica; its part does not run.
///
/// # Errors
/// When the primary does not answer in time, refuses, or is fenced.
pub(crate) fn build(home: &Home, primary: u16) -> Result<()> {
    let local = &Local::of(home)?;
    let failover = Failover::new(local, Some(home));
    let after_move = fs::read_to_string(build_request(home)).is_ok_and(|text| text.trim() == AFTER_MOVE);
    let deadline = Instant::now() + PATIENCE;
    let ready = |facts: Facts| match facts.replica {
        // Otherwise an orderly stop would lose what was just promoted.
        Replica::Promoted if after_move => false,
        _ => facts.primary == Primary::Usable,
    };
    while !ready(failover.facts()?) {
        if Instant::now() > deadline {
            bail!("the failover before it did not end, so no replica is built: `lab failover` continues it");
        }
        thread::sleep(AGAIN);
    }
    from_primary(local, primary, &pass_file(home)?, deadline)
}

/// Copies the primary on this port. The replica that was there is replaced when the copy is complete.
///
/// # Errors
/// What PostgreSQL's programs said last before the deadline.
pub(crate) fn from_primary(local: &Local, primary: u16, pass_file: &Path, deadline: Instant) -> Result<()> {
    loop {
        match attempt(local, primary, pass_file) {
            Ok(()) => return Ok(()),
            // The primary may be starting, or the session of the old replica may still hold the slot.
            Err(_) if Instant::now() < deadline => thread::sleep(AGAIN),
            Err(error) => return Err(error),
        }
    }
}

fn attempt(local: &Local, primary: u16, pass_file: &Path) -> Result<()> {
    let client = |program: &str| {
        let mut command = local.command(program);
        command
            .env("PGPASSFILE", pass_file)
            .args(["--no-password", "--host=127.0.0.1", &format!("--port={primary}")])
            .args([format!("--username={REPLICA_ROLE}"), format!("--slot={REPLICA_ROLE}")]);
        command
    };
    let mut slot = client("pg_receivewal");
    slot.args(["--create-slot", "--if-not-exists"]);
    run(&mut slot, "there is no slot for the replica")?;
    let draft = local.fresh("replica.new")?;
    let mut copy = client("pg_basebackup");
    copy.args(["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast"]);
    copy.arg(format!("--pgdata={}", Local::text(&draft)));
    run(&mut copy, "the primary cannot be copied")?;
    let data = local.beside(REPLICA_FOLDER);
    if data.exists() {
        fs::remove_dir_all(&data).with_context(|| format!("cannot remove {}", data.display()))?;
    }
    fs::rename(&draft, &data).with_context(|| format!("cannot create {}", data.display()))
}

fn run(command: &mut Command, otherwise: &str) -> Result<()> {
    let output = command.output().context("cannot run PostgreSQL's programs")?;
    if !output.status.success() {
        bail!("{otherwise}: {}", last_line(&String::from_utf8_lossy(&output.stderr)));
    }
    Ok(())
}

/// Asks for a rebuild of the replica, because the primary has another history now. Returns whether the lab has one.
/// Without a running lab its data are removed: the next start builds them.
///
/// # Errors
/// When the request cannot be written, or data cannot be removed.
pub(crate) fn anew(home: &Home) -> Result<bool> {
    let Some(state) = running(home) else {
        remove(home)?;
        return Ok(false);
    };
    let Some(part) = state.part(REPLICA) else { return Ok(false) };
    write_private(&build_request(home), "anew")?;
    if let Some(process) = part.process.filter(|process| process.alive()) {
        write_private(&home.dir.restart(REPLICA), &serde_json::to_string(&process)?)?;
        // What it has is thrown away, so it need not stop in order.
        process.signal(Signal::QUIT);
    }
    Ok(true)
}

/// Whether a replica is still to be built.
pub(crate) fn asked(home: &Home) -> bool {
    build_request(home).exists()
}

/// Removes the replica and its slot, in a lab that does not run: a slot without a reader would keep a gigabyte of WAL.
///
/// # Errors
/// When something cannot be removed.
pub(crate) fn remove(home: &Home) -> Result<()> {
    let local = Local::of(home)?;
    let replica = local.beside(REPLICA_FOLDER);
    if replica.exists() && !local.cluster().exists() {
        bail!(
            "PostgreSQL's data are gone, and their replica in {} still exists: `lab up --replica` and then `lab failover \
             --force` make it the primary; or delete that folder to start empty",
            replica.display()
        );
    }
    let slot = local.cluster().join("pg_replslot").join(REPLICA_ROLE);
    for folder in [replica, local.beside("replica.new"), slot] {
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
    }
    forget(home)
}

/// Forgets what earlier labs noted about their replica.
///
/// # Errors
/// When a file cannot be removed.
pub(crate) fn forget(home: &Home) -> Result<()> {
    for file in [watch::metrics_file(home), watch::note(home), build_request(home)] {
        if file.exists() {
            fs::remove_file(&file).with_context(|| format!("cannot remove {}", file.display()))?;
        }
    }
    Ok(())
}
