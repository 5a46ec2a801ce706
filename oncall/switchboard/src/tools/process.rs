//! Processes of a lab on this machine, by pid *and* start time, so that a recycled pid is never signalled.
//! The same facts as in the supervisor's `state.json`, which names them; this crate stands below the
//! supervisor and cannot use it.

use std::{ffi::OsString, fs, os::unix::ffi::OsStringExt as _, path::Path, time::Duration};

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};
use serde::{Deserialize, Serialize};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// One process, unmistakably.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    /// Pid; also its process group, since each part leads its own.
    pub(crate) pid: u32,
    /// Start time, in clock ticks since boot on Linux.
    pub(crate) started: u64,
}

impl Process {
    /// The process that has this pid now.
    #[cfg(test)]
    pub(crate) fn of(pid: u32) -> Option<Self> {
        Some(Self { pid, started: started(pid)? })
    }

    /// Whether this very process is still running; a zombie is not.
    pub(crate) fn alive(self) -> bool {
        if Path::new("/proc/self/stat").exists() {
            return started(self.pid) == Some(self.started);
        }
        // Without /proc, what the supervisor wrote a moment ago has to do.
        self.raw().is_some_and(|pid| test_kill_process(pid).is_ok())
    }

    /// Asks it to stop, if it is still the same one.
    pub(crate) fn terminate(self) -> std::io::Result<()> {
        match self.raw().filter(|_| self.alive()) {
            Some(pid) => Ok(kill_process(pid, Signal::TERM)?),
            None => Ok(()),
        }
    }

    /// Kills it and its children, if it is still the same one.
    pub(crate) fn kill(self) {
        if let Some(pid) = self.raw().filter(|_| self.alive()) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }

    /// Waits until it has ended; returns whether it has.
    pub(crate) async fn ended(self, within: Duration) -> bool {
        let gone = async {
            while self.alive() {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(within, gone).await.is_ok()
    }

    /// Its program and its environment; `None` where the system does not tell.
    pub(crate) fn command(self) -> Option<Command> {
        let read = |name: &str| fs::read(format!("/proc/{}/{name}", self.pid)).ok();
        let program = read("cmdline")?.split(|byte| *byte == 0).next().map(<[u8]>::to_vec)?;
        let environment = read("environ")?.split(|byte| *byte == 0).filter_map(variable).collect();
        // Read before it is asked whether it is still the same process.
        let found = Command { program: OsString::from_vec(program), environment };
        (self.alive() && !found.program.is_empty()).then_some(found)
    }

    fn raw(self) -> Option<Pid> {
        // Pids 0 and 1 are never parts; a damaged state file must not lead to them.
        i32::try_from(self.pid).ok().filter(|pid| *pid > 1).and_then(Pid::from_raw)
    }
}

/// How a process was started.
pub(crate) struct Command {
    pub(crate) program: OsString,
    /// Has secrets.
    pub(crate) environment: Vec<(OsString, OsString)>,
}

fn variable(entry: &[u8]) -> Option<(OsString, OsString)> {
    let equals = entry.iter().position(|byte| *byte == b'=').filter(|at| *at > 0)?;
    let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
    Some((text(&entry[..equals]), text(&entry[equals + 1..])))
}

/// Clock ticks since boot at which the process with this pid began; `None` if there is none, or a zombie.
fn started(pid: u32) -> Option<u64> {
    begun(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The start time in a line of `/proc/PID/stat`.
fn begun(stat: &str) -> Option<u64> {
    // The second field is the name, in brackets; it may have spaces and brackets itself.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    // The state is the third field, the start time the 22nd.
    let started = fields.nth(18)?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some(started)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_time_is_found_behind_any_name_and_a_zombie_has_none() {
        let rest = "1 42 42 0 -1 4194560 1 0 0 0 5 6 0 0 20 0 1 0 98765 7 8";
        let line = |state: &str| format!("42 (a b) c) {state} {rest}");
        assert_eq!(begun(&line("S")), Some(98_765));
        assert_eq!(begun(&line("Z")), None);
        assert_eq!(begun("42 (x"), None);
    }

    #[test]
    fn a_process_with_another_start_time_is_another_process() {
        let Some(me) = Process::of(std::process::id()) else {
            eprintln!("SKIPPED: there is no /proc here");
            return;
        };
        let other = Process { started: me.started + 1, ..me };
        assert!(me.alive() && !other.alive());
        assert!(other.command().is_none() && other.terminate().is_ok(), "nobody is told anything");
        let command = me.command().unwrap();
        assert!(Path::new(&command.program).file_name().is_some());
        assert!(command.environment.iter().any(|(name, _)| name == "PATH"));
        assert!(Process { pid: 1, started: 0 }.raw().is_none());
    }

    #[test]
    fn a_variable_has_a_name_and_everything_after_it_is_its_value() {
        let (name, value) = variable(b"URL=postgres://a=b").unwrap();
        assert_eq!((name, value), (OsString::from("URL"), OsString::from("postgres://a=b")));
        assert!(variable(b"").is_none() && variable(b"=x").is_none());
    }
}
