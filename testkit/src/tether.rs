//! A server process that cannot outlive the test process: it runs under a small `sh` that reads its standard input.
//! When that ends (because the test process dropped it, or died in any way, including SIGKILL), `sh` stops the
//! server and removes the folder.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    os::unix::{fs::FileExt as _, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

/// Lines of a server's output that are its last words.
const LAST_LINES: usize = 30;

/// `$1` the folder, `$2` the signal that stops the server, the rest its command line. Prints the server's pid.
/// Ends with the server; the last `kill` takes the watcher along, which is in the same process group.
const SCRIPT: &str = r#"
folder=$1; signal=$2; shift 2
exec 3<&0
"$@" </dev/null >>"$folder/server.log" 2>&1 3<&- &
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
    words: Words,
}

/// What a server has written; readable even after its folder is gone.
#[derive(Clone)]
pub(crate) struct Words(Arc<File>);

impl Words {
    /// The last lines.
    pub(crate) fn last(&self) -> String {
        let length = self.0.metadata().map_or(0, |meta| meta.len());
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        let read = self.0.read_at(&mut bytes, 0).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes[..read]);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }
}

impl Tether {
    /// Starts `command` in `folder`; cancels an earlier [`Tether::keep_folder`].
    pub(crate) fn start(folder: &Path, signal: &str, command: &[String]) -> Self {
        let _ = std::fs::remove_file(folder.join("keep"));
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(true);
        let log = options.open(folder.join("server.log")).expect("a log in the folder");
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
        Self { shell, server, words: Words(Arc::new(log)) }
    }

    /// Whether the server is still running.
    pub(crate) fn alive(&mut self) -> bool {
        matches!(self.shell.try_wait(), Ok(None))
    }

    /// What it has written, to be read later.
    pub(crate) fn words(&self) -> Words {
        self.words.clone()
    }

    /// The end of what it has written.
    pub(crate) fn last_words(&self) -> String {
        self.words.last()
    }

    /// From now on the folder outlives the server, which is going to be started in it again.
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
