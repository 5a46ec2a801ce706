//! A service's own binary as a child process, for behaviour of the process: start, signals, exit codes, kill -9.

use std::{path::PathBuf, time::Duration};

use crate::{Http, eventually, tether::Tether};

/// A running binary that cannot outlive the test process. Dropping it sends SIGTERM and waits.
pub struct Process {
    tether: Option<Tether>,
    folder: PathBuf,
}

impl Process {
    /// Starts `program`, usually `env!("CARGO_BIN_EXE_…")`, with `args`.
    #[must_use]
    pub fn start(program: &str, args: &[&str]) -> Self {
        let folder =
            tempfile::Builder::new().prefix("testkit-process-").tempdir().expect("a temp folder").keep();
        let mut command = vec![program.to_owned()];
        command.extend(args.iter().map(|&arg| arg.to_owned()));
        Self { tether: Some(Tether::start(&folder, "TERM", &command)), folder }
    }

    /// Waits until `/readyz` of `admin` returns 200.
    ///
    /// # Panics
    /// When that takes longer than 30 seconds; shows the output of the process.
    pub async fn ready(&self, admin: std::net::SocketAddr) {
        let http = Http::to(admin);
        eventually(Duration::from_secs(30), || async {
            let answer = http.try_send(http::Method::GET, "/readyz", &[], "").await;
            let ready = answer.as_ref().is_ok_and(|answer| answer.status == 200);
            ready.then_some(()).ok_or_else(|| format!("{answer:?}\n{}", self.output()))
        })
        .await;
    }

    /// Its output so far, standard output and error together.
    #[must_use]
    pub fn output(&self) -> String {
        std::fs::read_to_string(self.folder.join("server.log")).unwrap_or_default()
    }

    /// Sends a signal by name, such as `TERM`, `STOP` or `CONT`.
    pub fn signal(&self, signal: &str) {
        self.tether.iter().for_each(|tether| tether.signal(signal));
    }

    /// Sends SIGKILL and waits until the process is gone.
    pub fn kill(&mut self) {
        self.tether.take().into_iter().for_each(|tether| tether.kill("KILL"));
    }

    /// Its process id.
    ///
    /// # Panics
    /// After it was killed.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.tether.as_ref().map(Tether::pid).expect("a process that was not killed")
    }

    /// Whether it is still running.
    pub fn alive(&mut self) -> bool {
        self.tether.as_mut().is_some_and(Tether::alive)
    }
}
