//! The lab under torture: a supervisor as a child process, restarted whenever it ends, until it is asked to stop.

use std::{
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use parking_lot::Mutex;
use rustix::process::Signal;
use supervisor::{
    logfile,
    ports::{Outgoing, check_free},
    process::ProcId,
    state::{LabState, Phase},
    sweep,
};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use super::schedule::SUPERVISOR;
use crate::{
    home::Home,
    parts::{
        ports::{self, PORTS},
        table::Broker,
    },
    terminal::say,
};

/// Consecutive starts that end before the lab is ready, for another reason than SIGKILL. After that the run fails.
const ATTEMPTS: u32 = 5;
/// Pause between the end of a supervisor and the next start.
const PAUSE: Duration = Duration::from_millis(500);
/// The longest orderly stop.
const STOP: Duration = Duration::from_secs(60);
/// Lines of the log to quote if the lab does not start.
const TAIL: usize = 20;
/// Variables that a second lab must not inherit: it has its own ports, parts and broker, and notifies nobody.
pub(in crate::commands) const OTHERS: &[&str] = &[
    "LAB_PORTS",
    "LAB_REPLICA",
    "LAB_REPLICAS",
    "KAFKA_BROKERS",
    "LAB_WEBHOOK",
    "LAB_SLACK_WEBHOOK",
    "LAB_BACKUPS",
    "LAB_BACKUP_KEY",
    "LAB_CONTEXT",
    "LAB_DIR",
];

/// Cheap to clone.
#[derive(Clone)]
pub(in crate::commands) struct Patient {
    home: Arc<Home>,
    args: Arc<Vec<String>>,
    supervisor: Arc<Mutex<Option<ProcId>>>,
    starts: Arc<Mutex<u32>>,
}

impl Patient {
    /// A lab in the folder of `home`, started with `more` arguments; nothing is started yet.
    pub(in crate::commands) fn new(home: &Home, kafka: Broker, offset: u16, more: &[&str]) -> Self {
        let kafka = if kafka == Broker::Apache { "apache" } else { "embedded" };
        let args = ["up", "--background", "--trace-ratio", "0.01", "--rate", "20", "--kafka", kafka];
        let mut args: Vec<String> = args.map(str::to_owned).to_vec();
        args.extend(["--port-offset".to_owned(), offset.to_string()]);
        args.extend(more.iter().map(|&argument| argument.to_owned()));
        Self {
            home: Arc::new(home.clone()),
            args: Arc::new(args),
            supervisor: Arc::default(),
            starts: Arc::default(),
        }
    }

    /// The state on disk, if it belongs to the living supervisor.
    pub(in crate::commands) fn state(&self) -> Option<LabState> {
        let state = LabState::load(&self.home.dir).ok().flatten()?;
        (Some(state.supervisor) == self.supervisor()).then_some(state)
    }

    /// How often a supervisor was started.
    pub(in crate::commands) fn starts(&self) -> u32 {
        *self.starts.lock()
    }

    fn supervisor(&self) -> Option<ProcId> {
        *self.supervisor.lock()
    }

    fn ready(&self) -> bool {
        self.state().is_some_and(|state| state.phase == Phase::Ready)
    }

    /// Waits until every part has been ready once.
    pub(in crate::commands) async fn until_ready(&self) {
        while !self.ready() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Sends SIGKILL; returns `false` if the victim is not running.
    pub(in crate::commands) fn kill(&self, victim: &str) -> bool {
        let process = match victim {
            SUPERVISOR => self.supervisor(),
            // Even if the supervisor is dead: its parts keep running until the next supervisor ends them.
            part => LabState::load(&self.home.dir).ok().flatten().and_then(|state| state.part(part)?.process),
        };
        let Some(process) = process.filter(|process| process.alive()) else { return false };
        process.signal(Signal::KILL);
        true
    }

    /// Keeps the lab up until `stop`, then stops it in order, or at once if `now` is cancelled. Leaves no process
    /// behind.
    ///
    /// # Errors
    /// When the lab does not start, with the end of its log; or when a process is left.
    pub(in crate::commands) async fn keep_up(
        self,
        stop: CancellationToken,
        now: CancellationToken,
    ) -> Result<()> {
        let kept = self.supervise(&stop, &now).await;
        sweep(&self.home.dir).await?;
        kept
    }

    async fn supervise(&self, stop: &CancellationToken, now: &CancellationToken) -> Result<()> {
        let mut failures = 0;
        while !stop.is_cancelled() {
            let began = Instant::now();
            let mut child = self.spawn()?;
            let mut was_ready = false;
            let status = loop {
                tokio::select! {
                    status = child.wait() => break status?,
                    () = self.until_ready(), if !was_ready => {
                        was_ready = true;
                        if self.starts() > 1 {
                            say(format!("         the lab is back after {:.1} s", began.elapsed().as_secs_f64()));
                        }
                    }
                    () = stop.cancelled() => return end(&mut child, now).await,
                }
            };
            failures = if was_ready || status.signal() == Some(9) { 0 } else { failures + 1 };
            if failures == ATTEMPTS {
                bail!("the lab does not come up{}", self.last_words(status));
            }
            stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await;
        }
        Ok(())
    }

    fn spawn(&self) -> Result<Child> {
        self.home.create()?;
        let output = logfile::open(&self.home.dir.log("lab"))?;
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("--root")
            .arg(&self.home.root)
            .arg("--dir")
            .arg(self.home.dir.as_os_str())
            .args(&*self.args);
        OTHERS.iter().for_each(|name| {
            command.env_remove(name);
        });
        // Its own process group: Ctrl-C in the terminal goes to this command, which then ends the lab.
        let child =
            command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output).process_group(0).spawn();
        let child = child.context("cannot start the lab")?;
        *self.supervisor.lock() = child.id().and_then(ProcId::of);
        *self.starts.lock() += 1;
        Ok(child)
    }

    fn last_words(&self, status: ExitStatus) -> String {
        let words = logfile::tail(&self.home.dir.log("lab"), TAIL);
        format!(" ({status}); the last lines of its log:\n  {}", words.join("\n  "))
    }
}

/// SIGTERM, a second one when `now` is cancelled, SIGKILL at last.
async fn end(child: &mut Child, now: &CancellationToken) -> Result<()> {
    let Some(process) = child.id().and_then(ProcId::of) else { return Ok(()) };
    process.signal(Signal::TERM);
    let orderly = tokio::time::timeout(STOP, child.wait());
    if now.run_until_cancelled(orderly).await.is_none_or(|ended| ended.is_err()) {
        process.signal(Signal::TERM);
        if tokio::time::timeout(STOP / 4, child.wait()).await.is_err() {
            child.kill().await?;
        }
    }
    Ok(())
}

/// An offset at which every port of the table is free, below the system's range of ephemeral ports.
///
/// # Errors
/// When no offset that was tried is free.
pub(in crate::commands) fn free_offset() -> Result<u16> {
    let start = u16::try_from(std::process::id() % 6_000).unwrap_or(0);
    for attempt in 0..24 {
        let offset = 10_000 + (start + attempt * 251) % 6_000;
        let ports = ports::choose(offset, &[], &Outgoing::here())?;
        let all = PORTS.iter().map(|port| (port.name, ports.get(port.name), port.name));
        if check_free(all).is_ok() {
            return Ok(offset);
        }
    }
    bail!("no free ports found: choose with --port-offset")
}
