//! Processes by pid *and* start time, so that a recycled pid is never signalled; signals to process groups.
//!
//! System-specific facts (start time, memory, who holds a port) come from `/proc` on Linux, and from `ps` and `lsof`
//! elsewhere.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(any(test, not(target_os = "linux")))]
mod portable;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use portable as system;

use std::{path::Path, time::Duration};

use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};

pub(crate) use system::port_holder;

/// Environment variable that every part carries: the absolute folder of its lab. It identifies even a process that
/// was started just before its lab was killed.
pub const MARK: &str = "SRE_LAB_DIR";

/// One process, unmistakably.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcId {
    /// Pid; also its process group, since each part leads its own.
    pub pid: u32,
    /// Start time in the system's own unit: clock ticks since boot on Linux.
    pub started: u64,
}

/// Memory of a part: its process and all descendants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Sum of the resident sets, in bytes; counts shared pages once per process.
    pub rss: u64,
    /// Sum of the proportional sets, in bytes: shared pages are divided among their users. `None` if the system
    /// does not report it.
    pub pss: Option<u64>,
}

impl ProcId {
    /// The process that has this pid now.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        system::start_time(pid).map(|started| Self { pid, started })
    }

    /// This process.
    #[must_use]
    pub fn myself() -> Self {
        let pid = std::process::id();
        Self::of(pid).unwrap_or(Self { pid, started: 0 })
    }

    /// Whether this very process is still running; a zombie is not.
    #[must_use]
    pub fn alive(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// Signals the process, if it is still the same one.
    pub fn signal(self, signal: Signal) {
        if let Some(pid) = self.raw().filter(|_| self.alive()) {
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    /// Kills what is left of the process group. Right after the leader has ended, this reaches only its orphans: a
    /// group id is not reused while the group has members.
    pub fn kill_group(self) {
        if let Some(pid) = self.raw() {
            let _ = rustix::process::kill_process_group(pid, Signal::KILL);
        }
    }

    /// Waits until the process has ended; returns `false` if it is still running after `deadline`.
    pub async fn ended(self, deadline: Duration) -> bool {
        tokio::time::timeout(deadline, async {
            while self.alive() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .is_ok()
    }

    /// Asks the process to stop, and kills its group after `deadline`.
    pub async fn stop(self, signal: Signal, deadline: Duration) {
        if !self.alive() {
            return;
        }
        self.signal(signal);
        if !self.ended(deadline).await {
            self.kill_group();
            self.ended(Duration::from_secs(5)).await;
        }
    }

    /// Memory of the process and its descendants; zero when it is gone.
    #[must_use]
    pub fn memory(self) -> Memory {
        if self.alive() { system::memory(self.pid) } else { Memory::default() }
    }

    fn raw(self) -> Option<Pid> {
        // Pids 0 and 1 are never parts; a damaged state file must not lead to them.
        i32::try_from(self.pid).ok().filter(|pid| *pid > 1).and_then(Pid::from_raw)
    }
}

/// Processes that carry the mark of the lab in `dir`, except the calling one.
#[must_use]
pub fn marked(dir: &Path) -> Vec<ProcId> {
    let me = std::process::id();
    system::with_environment(MARK, dir.as_os_str())
        .into_iter()
        .filter(|pid| *pid != me)
        .filter_map(ProcId::of)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, process::Command};

    use super::*;

    #[test]
    fn a_process_with_a_different_start_time_is_a_different_process() {
        let me = ProcId::myself();
        assert!(me.alive());
        assert!(!ProcId { started: me.started + 1, ..me }.alive());
    }

    #[test]
    fn a_zombie_is_not_alive() {
        let mut child = Command::new("true").spawn().unwrap();
        let deadline = std::time::Instant::now() + Duration::from_secs(5);
        while ProcId::of(child.id()).is_some_and(ProcId::alive) {
            assert!(std::time::Instant::now() < deadline, "still counted as alive");
            std::thread::yield_now();
        }
        child.wait().unwrap();
    }

    #[test]
    fn proc_and_ps_agree() {
        let pid = std::process::id();
        assert!(portable::start_time(pid).is_some());
        let (ours, theirs) = (system::memory(pid).rss, portable::memory(pid).rss);
        assert!(ours > 0 && theirs > 0);
        assert_eq!(portable::start_time(4_194_304), None);
    }

    #[test]
    fn the_holder_of_a_port_is_named_with_pid_and_command() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let holder = port_holder(listener.local_addr().unwrap().port()).unwrap();
        assert!(holder.contains(&format!("pid {}", std::process::id())), "{holder}");
    }
}
