//! A server beside the lab's: on a socket in a private folder, so that nobody else can log in and no port is taken.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::{Connection as _, PgConnection};
use supervisor::process::MARK;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::{home::Home, parts::postgres::Local};

/// Longest time for the replay of the write-ahead log.
const PATIENCE: Duration = Duration::from_secs(600);
/// Longest time for an orderly stop.
const STOP: Duration = Duration::from_secs(60);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(30);

/// What a server is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To look at it, and throw it away: nothing has to survive a crash of the machine.
    Look,
    /// To become the lab's: every commit is flushed.
    Keep,
}

/// A running server; killed when dropped.
pub(crate) struct Scratch {
    child: Child,
    socket: TempDir,
    log: PathBuf,
}

/// Why a server did not come up.
#[derive(Debug)]
pub(crate) enum Failed {
    /// The WAL ended before the moment at which replay was to stop.
    EndedEarly,
    /// Anything else, as a sentence.
    Because(anyhow::Error),
}

impl From<anyhow::Error> for Failed {
    fn from(error: anyhow::Error) -> Self {
        Self::Because(error)
    }
}

impl Scratch {
    /// Starts a server on a data folder with these further settings, and waits until it has replayed its WAL and takes
    /// connections.
    ///
    /// # Errors
    /// When it ends by itself or is not up in time.
    pub(crate) async fn start(
        local: &Local,
        data: &Path,
        mark: Option<&Home>,
        purpose: Purpose,
        settings: &[String],
    ) -> Result<Self, Failed> {
        let socket = tempfile::Builder::new().prefix("sre-lab-").tempdir().context("no private folder")?;
        local.own(socket.path())?;
        let rules = socket.path().join("pg_hba.conf");
        fs::write(&rules, "local all postgres trust\n").context("cannot write pg_hba.conf")?;
        local.own(&rules)?;
        let log = socket.path().join("server.log");
        let output = File::create(&log).context("cannot write the server's log")?;
        let mut command = local.command("postgres");
        command
            .arg("-D")
            .arg(data)
            .stdout(output.try_clone().context("cannot write the server's log")?)
            .stderr(output);
        let own = [
            "listen_addresses=".to_owned(),
            format!("unix_socket_directories={}", Local::text(socket.path())),
            format!("hba_file={}", Local::text(&rules)),
            "port=5432".to_owned(),
            "shared_buffers=16MB".to_owned(),
            "max_connections=100".to_owned(),
            "dynamic_shared_memory_type=mmap".to_owned(),
            // Connections are taken only when the replay has ended.
            "hot_standby=off".to_owned(),
            format!("fsync={}", if purpose == Purpose::Keep { "on" } else { "off" }),
        ];
        own.iter().chain(settings).for_each(|setting| {
            command.args(["-c", setting]);
        });
        if let Some(home) = mark {
            // `lab down` ends it if this process is killed.
            command.env(MARK, home.dir.as_os_str());
        }
        let child = command.stdin(Stdio::null()).spawn().context("cannot run postgres")?;
        let mut server = Self { child, socket, log };
        server.come_up().await?;
        Ok(server)
    }

    /// URL of a database, for the superuser.
    pub(crate) fn url(&self, database: &str) -> String {
        let folder = Local::text(self.socket.path()).replace('%', "%25").replace('/', "%2F");
        format!("postgres://postgres@{folder}/{database}")
    }

    /// The folder of its socket, which clients take as their host.
    pub(crate) fn host(&self) -> String {
        Local::text(self.socket.path())
    }

    /// Stops it in order, so that its files are complete.
    ///
    /// # Errors
    /// When it does not stop, or not in order.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.signal(Signal::INT);
        let deadline = Instant::now() + STOP;
        loop {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("the restored server ended with {status}: {}", self.last_words()),
                None if Instant::now() > deadline => bail!("the restored server does not stop"),
                None => sleep(LOOK).await,
            }
        }
    }

    async fn come_up(&mut self) -> Result<(), Failed> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(connection) = PgConnection::connect(&self.url("postgres")).await {
                connection.close().await.context("the restored server does not answer")?;
                return Ok(());
            }
            if let Some(status) = self.child.try_wait().context("cannot wait for postgres")? {
                let log = fs::read_to_string(&self.log).unwrap_or_default();
                if log.contains("recovery ended before configured recovery target was reached") {
                    return Err(Failed::EndedEarly);
                }
                let words = self.last_words();
                return Err(anyhow::anyhow!("the restored server ended with {status}: {words}").into());
            }
            if Instant::now() > deadline {
                let words = self.last_words();
                return Err(anyhow::anyhow!("the restored server does not come up: {words}").into());
            }
            sleep(LOOK).await;
        }
    }

    /// The last failure in its log, or its last line.
    fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let failure =
            log.lines().rev().find(|line| ["FATAL:", "PANIC:"].iter().any(|word| line.contains(word)));
        failure.or_else(|| log.lines().last()).unwrap_or("its log is empty").to_owned()
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // Immediate shutdown: its data are thrown away, and SIGKILL would leave its children.
            self.signal(Signal::QUIT);
            let _ = self.child.wait();
        }
    }
}
