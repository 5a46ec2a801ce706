//! How each step of a failover is carried out. Each can be repeated.

use std::{
    fs,
    path::Path,
    process::Output,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use chrono::{SecondsFormat, Utc};
use recovery::failover::Step;
use rustix::process::Signal;
use supervisor::write_private;

use super::{
    ASIDE, Failover, REPLICA_FOLDER, build_request,
    facts::{CONTROL, FENCED_CONTROL, MARK, PROMOTING},
};
use crate::{
    backup::{base::last_line, request::running, swap},
    parts::postgres::{Local, REPLICA},
};

/// Longest time for killed processes to be gone.
const GONE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(20);
/// Longest time, in seconds, for a promotion and for an orderly stop.
const PATIENCE: &str = "60";

impl Failover<'_> {
    pub(super) fn carry_out(&self, step: Step) -> Result<()> {
        match step {
            Step::Stop => self.stop(),
            Step::Fence => self.fence(),
            Step::Promote => self.promote(),
            Step::StopReplica => self.stop_replica(),
            Step::PutAside => self.put_aside(),
            Step::Move => self.move_in(),
            Step::Done => Ok(()),
        }
    }

    /// SIGKILL to every process that works on the primary's data: a server that hangs, or whose postmaster was killed, may
    /// still have sessions that write.
    fn stop(&self) -> Result<()> {
        let data = self.local.cluster();
        let deadline = Instant::now() + GONE;
        loop {
            let Some(left) = self.working_in(&data) else {
                self.must(&data, &["stop", "-m", "immediate", "-w", "-t", PATIENCE])?;
                return Ok(());
            };
            if left.is_empty() {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("{} processes of the old primary do not end", left.len());
            }
            left.iter().for_each(|process| process.signal(Signal::KILL));
            thread::sleep(LOOK);
        }
    }

    fn fence(&self) -> Result<()> {
        let data = self.local.cluster();
        let at = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
        let mark = data.join(MARK);
        fs::write(&mark, format!("fenced at {at} by `lab failover`, before its replica was promoted\n"))
            .with_context(|| format!("cannot write {}", mark.display()))?;
        rename(&data.join(CONTROL), &data.join(FENCED_CONTROL))?;
        // Before anything is promoted: a machine that loses its power now must not forget the fence.
        sync(&data.join("global"))
    }

    pub(super) fn unfence(&self) -> Result<()> {
        let data = self.local.cluster();
        let told = data.join(PROMOTING);
        if told.exists() {
            fs::remove_file(&told).with_context(|| format!("cannot remove {}", told.display()))?;
        }
        rename(&data.join(FENCED_CONTROL), &data.join(CONTROL))?;
        let _ = fs::remove_file(data.join(MARK));
        Ok(())
    }

    /// It replays everything that it received, and begins a new timeline. From here on the fence must hold: even if this is
    /// interrupted, or takes too long, the server promotes when it has replayed.
    fn promote(&self) -> Result<()> {
        let data = self.local.cluster();
        if data.exists() {
            let told = data.join(PROMOTING);
            fs::write(&told, "").with_context(|| format!("cannot write {}", told.display()))?;
            sync(&data)?;
        }
        self.must(&self.local.beside(REPLICA_FOLDER), &["promote", "-w", "-t", PATIENCE])
    }

    /// In order, so that its files are complete. Its part is asked to build a new replica, and not to start this one again.
    fn stop_replica(&self) -> Result<()> {
        let part = self.home.and_then(|home| {
            let state = running(home)?;
            Some((home, state.part(REPLICA)?.process.filter(|process| process.alive())?))
        });
        if let Some((home, process)) = part {
            write_private(&build_request(home), super::build::AFTER_MOVE)?;
            write_private(&home.dir.restart(REPLICA), &serde_json::to_string(&process)?)?;
        }
        self.must(&self.local.beside(REPLICA_FOLDER), &["stop", "-m", "fast", "-w", "-t", PATIENCE])
    }

    fn put_aside(&self) -> Result<()> {
        let aside = self.local.beside(ASIDE);
        if aside.exists() {
            fs::remove_dir_all(&aside).with_context(|| format!("cannot remove {}", aside.display()))?;
        }
        rename(&self.local.cluster(), &aside)
    }

    fn move_in(&self) -> Result<()> {
        if let Some(home) = self.home {
            // What was not replicated has been announced all the same: it must be neither paid nor sent.
            swap::forget(home)?;
        }
        let aside = self.local.beside(ASIDE);
        if !aside.exists() {
            // The old data were wiped. Something that lies aside says that the failover has ended.
            fs::create_dir(&aside).with_context(|| format!("cannot create {}", aside.display()))?;
        }
        rename(&self.local.beside(REPLICA_FOLDER), &self.local.cluster())?;
        let folder = self.local.cluster();
        sync(folder.parent().unwrap_or(&folder))
    }

    pub(super) fn pg_ctl(&self, data: &Path, args: &[&str]) -> Result<Output> {
        let mut command = self.local.command("pg_ctl");
        command.args(args).arg("-D").arg(Local::text(data));
        command.output().context("cannot run pg_ctl")
    }

    fn must(&self, data: &Path, args: &[&str]) -> Result<()> {
        let output = self.pg_ctl(data, args)?;
        if output.status.success() {
            return Ok(());
        }
        let said = [output.stdout, output.stderr].concat();
        let what = args.first().copied().unwrap_or_default();
        bail!("pg_ctl {what} failed for {}: {}", data.display(), last_line(&String::from_utf8_lossy(&said)))
    }
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).with_context(|| format!("cannot rename {} to {}", from.display(), to.display()))
}

/// Makes the names in a folder durable.
fn sync(folder: &Path) -> Result<()> {
    let opened = fs::File::open(folder).and_then(|folder| folder.sync_all());
    opened.with_context(|| format!("cannot flush {}", folder.display()))
}
