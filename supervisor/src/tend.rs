//! One part from its first start to its end: wait for its dependencies, prepare, start, probe until ready, restart.

use std::{
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use chassis_core::EXIT_USAGE;
use chrono::Utc;
use tokio::{process::Child, sync::watch};

use crate::{
    Error, Folder, Part, Result, Stop,
    backoff::{Backoff, Policy},
    board::Board,
    command::command,
    logfile, memory,
    part::{Errand, Lines},
    process::ProcId,
    state::{Phase, Status},
};

/// How often a part is asked whether it is ready. Short: this is most of what a start costs beyond the part's own
/// time.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// How often it is looked whether a part that stays stopped may start.
const HELD: Duration = Duration::from_millis(100);

/// What it means for the lab if a part does not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The lab stops.
    Needed,
    /// The lab keeps running without it.
    Guest,
}

/// Looks after one part.
pub(super) struct Tender {
    pub(super) folder: Folder,
    pub(super) part: Part,
    pub(super) board: Board,
    pub(super) policy: Policy,
    pub(super) stop: Stop,
    pub(super) lines: Lines,
    pub(super) role: Role,
}

/// How one run of a part ended.
enum Run {
    /// By itself, or because the supervisor killed it: then with the reason.
    Ended(ExitStatus, Option<String>),
    /// Because somebody asked for a restart.
    Asked,
    /// Because the lab is stopping.
    Stopped,
}

impl Tender {
    /// Returns when the part is not running and will not be restarted.
    pub(super) async fn run(
        self,
        needs: Vec<watch::Receiver<bool>>,
        dependents: Vec<watch::Receiver<bool>>,
        ready: watch::Sender<bool>,
        ended: watch::Sender<bool>,
    ) {
        let began = tokio::select! {
            () = all(needs) => true,
            () = self.stop.gently.cancelled() => false,
        };
        if began && let Err(error) = self.keep_up(dependents, &ready).await {
            self.fail(&error.to_string());
        }
        self.board.part(&self.part.name, |part| {
            part.process = None;
            if part.status != Status::Failed {
                part.status = Status::Stopped;
            }
        });
        ended.send_replace(true);
    }

    async fn keep_up(
        &self,
        mut dependents: Vec<watch::Receiver<bool>>,
        ready: &watch::Sender<bool>,
    ) -> Result<()> {
        for preparation in &self.part.prepare {
            self.board.part(&self.part.name, |part| part.status = Status::Preparing);
            self.prepare(preparation).await?;
        }
        let mut backoff = Backoff::new(self.policy);
        let mut ends = 0;
        loop {
            if !self.let_go().await {
                return Ok(());
            }
            self.errand().await;
            let began = Instant::now();
            let (status, why) = match self.once(&mut dependents, ready, began).await? {
                Run::Ended(status, why) => (status, why),
                // No crash: it is neither counted nor made to wait.
                Run::Asked => continue,
                Run::Stopped => return Ok(()),
            };
            if self.part.errand.as_ref().is_some_and(|errand| errand.request.exists()) {
                continue;
            }
            ends += 1;
            let before_ready = !*ready.borrow();
            // A program ends with that code when its configuration is wrong: starting it again cannot help.
            let hopeless = status.code() == Some(EXIT_USAGE.into());
            if before_ready && (hopeless || ends >= self.policy.attempts) {
                return Err(Error::Ended { what: "it".to_owned(), status });
            }
            let delay = backoff.after(began.elapsed());
            self.board.part(&self.part.name, |part| {
                part.process = None;
                part.status = Status::Backoff;
                part.restarts += 1;
                part.last_exit = Some(match why {
                    Some(why) => format!("{status}, {why}"),
                    None => status.to_string(),
                });
            });
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = Errand::requested(self.part.errand.as_ref()) => {}
                () = self.stop.gently.cancelled() => return Ok(()),
            }
        }
    }

    /// Waits while somebody wants this part to stay stopped; false if the lab stops meanwhile.
    async fn let_go(&self) -> bool {
        while self.folder.stays_stopped(&self.part.name) {
            tokio::select! {
                () = tokio::time::sleep(HELD) => {}
                () = self.stop.gently.cancelled() => return false,
            }
        }
        true
    }

    async fn once(
        &self,
        dependents: &mut Vec<watch::Receiver<bool>>,
        ready: &watch::Sender<bool>,
        began: Instant,
    ) -> Result<Run> {
        if self.stop.gently.is_cancelled() {
            return Ok(Run::Stopped);
        }
        let mut child = self.spawn()?;
        // A child that was spawned here has a pid until it has been waited for.
        let process = child.id().and_then(ProcId::of);
        self.board.part(&self.part.name, |part| {
            part.process = process;
            part.started_at = Some(Utc::now());
            part.ready_ms = None;
            part.status = Status::Starting;
        });
        let answers = async {
            while self.part.probe.ask().await.is_err() {
                tokio::time::sleep(ASK_EVERY).await;
            }
            self.board.part(&self.part.name, |part| {
                part.ready_ms = u64::try_from(began.elapsed().as_millis()).ok();
                part.status = Status::Ready;
            });
            ready.send_replace(true);
            std::future::pending::<()>().await;
        };
        let mut why = None;
        let status = tokio::select! {
            status = child.wait() => status?,
            said = memory::exceeded(&self.part, process) => {
                if let Some(process) = process {
                    process.kill_group();
                }
                why = Some(said);
                child.wait().await?
            }
            () = answers => unreachable!("waits forever once it is ready"),
            () = self.stop.gently.cancelled() => {
                self.end(&mut child, std::mem::take(dependents)).await;
                return Ok(Run::Stopped);
            }
        };
        let Some(process) = process else { return Ok(Run::Ended(status, why)) };
        process.kill_group();
        let asked = self.folder.announced(&self.part.name, process);
        Ok(if asked { Run::Asked } else { Run::Ended(status, why) })
    }

    fn spawn(&self) -> Result<Child> {
        let log = logfile::open(&self.folder.log(&self.part.name))?;
        let instead = self.lines.lock().get(&self.part.name).cloned();
        let line = instead.as_ref().unwrap_or(&self.part.command);
        command(line, &self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .map_err(|cause| Error::Program { program: line.program.clone(), cause })
    }

    /// Waits until no other part needs this one, asks it to stop, and kills its group after its grace period.
    async fn end(&self, child: &mut Child, dependents: Vec<watch::Receiver<bool>>) {
        let process = child.id().and_then(ProcId::of);
        let orderly = async {
            tokio::select! {
                () = all(dependents) => {}
                _ = child.wait() => return,
            }
            self.board.part(&self.part.name, |part| part.status = Status::Stopping);
            if let Some(process) = process {
                process.signal(self.part.stop.signal());
            }
            let _ = tokio::time::timeout(self.part.grace, child.wait()).await;
        };
        tokio::select! {
            () = orderly => {}
            () = self.stop.now.cancelled() => {}
        }
        if let Some(process) = process {
            process.kill_group();
        }
        let _ = child.wait().await;
    }

    fn log(&self) -> String {
        self.folder.log(&self.part.name).display().to_string()
    }

    /// The lab cannot run without this part: report why and stop the others. A guest is only reported.
    fn fail(&self, reason: &str) {
        if self.stop.gently.is_cancelled() {
            return;
        }
        self.board.part(&self.part.name, |part| {
            part.status = Status::Failed;
            part.last_exit.get_or_insert_with(|| reason.to_owned());
        });
        if self.role == Role::Guest {
            return self.board.say(&format!("{}: {reason}; its log is {}", self.part.name, self.log()));
        }
        self.board.phase(Phase::Failed { part: self.part.name.clone(), reason: reason.to_owned() });
        self.stop.gently.cancel();
    }
}

async fn all(flags: Vec<watch::Receiver<bool>>) {
    for mut flag in flags {
        // The sender lives in the table of links, at least as long as any part.
        let _ = flag.wait_for(|flag| *flag).await;
    }
}
