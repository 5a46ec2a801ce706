//! A server process that cannot outlive the test process: it runs under a small `sh` that reads its standard input.
//! When that ends (because the test process dropped it, or died in any way, including SIGKILL), `sh` stops the
//! server and removes the folder.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
};

/// `$1` is the folder, `$2` the signal that stops the server, the rest its command line. Prints the server's pid.
/// Ends with the server; the last `kill` ends the watcher as well, which is in the same process group.
const SCRIPT: &str = r#"
folder=$1; signal=$2; shift 2
exec 3<&0
"$@" </dev/null >"$folder/server.log" 2>&1 3<&- &
server=$!
echo $server
exec >/dev/null 2>&1
( cat <&3; kill -$signal $server; sleep 5; kill -KILL $server ) &
wait $server
trap '' TERM
kill -TERM 0
[ -e "$folder/keep" ] || rm -rf "$folder"
"#;

/// A running server. Dropping it stops the server, waits for it and removes its folder.
pub(crate) struct Tether {
    shell: Child,
    server: u32,
}

impl Tether {
    /// Starts `command` in `folder`; cancels an earlier [`Tether::keep_folder`].
    pub(crate) fn start(folder: &Path, signal: &str, command: &[String]) -> Self {
        let _ = std::fs::remove_file(folder.join("keep"));
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "tether"])
            .arg(folder)
            .arg(signal)
            .args(command)
            // Its own process group: Ctrl-C, and test runners that kill the group, reach the test but not the
            // clean-up.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("`sh` starts");
        let mut line = String::new();
        let stdout = shell.stdout.take().expect("standard output is a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("`sh` reports the pid");
        let server = line.trim().parse().expect("a pid");
        Self { shell, server }
    }

    /// Whether the server is still running.
    pub(crate) fn alive(&mut self) -> bool {
        matches!(self.shell.try_wait(), Ok(None))
    }

    /// Keeps the folder when the server ends, because it will be started there again.
    pub(crate) fn keep_folder(&self, folder: &Path) {
        std::fs::write(folder.join("keep"), "").expect("a note in the folder");
    }

    /// The server's process id.
    pub(crate) const fn pid(&self) -> u32 {
        self.server
    }

    /// Ends the server with `signal` and waits until it is gone.
    pub(crate) fn kill(mut self, signal: &str) {
        self.signal(signal);
        let _ = self.shell.wait();
    }

    /// Sends the server a signal by name, such as `KILL`, `STOP` or `CONT`.
    pub(crate) fn signal(&self, signal: &str) {
        let _ = Command::new("sh").args(["-c", &format!("kill -{signal} {}", self.server)]).status();
    }
}

impl Drop for Tether {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}
