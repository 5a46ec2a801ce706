//! A command that runs when this process is gone, however it ends: a measurement takes up to an hour, and Ctrl-C must not leave its lab
//! behind. The same way as in tools/xtask/src/perf/lab.rs.

use std::{
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};

/// Waits until its input ends, and becomes the command in its arguments. Whatever ends the process at the other end of the pipe, the
/// kernel closes the pipe.
const WAIT: &str = "trap '' HUP INT TERM; cat >/dev/null; exec \"$@\"";

/// Runs a command when it is dropped, or when this process is gone.
#[derive(Debug)]
pub(crate) struct AtTheEnd(Child);

impl AtTheEnd {
    /// The program and the arguments of `command`, in the environment of this process.
    ///
    /// # Errors
    /// If there is no shell to wait in.
    pub(crate) fn run(command: &Command) -> Result<Self> {
        let mut wait = Command::new("sh");
        wait.args(["-c", WAIT, "sh"]).arg(command.get_program()).args(command.get_args());
        // Not in the group that the terminal's Ctrl-C reaches.
        wait.stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0);
        Ok(Self(wait.spawn().context("cannot run sh")?))
    }
}

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        // Closes the pipe first.
        match self.0.wait() {
            Ok(status) if status.success() => {}
            Ok(status) => eprintln!("stopping the lab failed: {status}"),
            Err(error) => eprintln!("stopping the lab failed: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_runs_when_the_pipe_closes_and_not_before() {
        let file = std::env::temp_dir().join(format!("bench-at-the-end-{}", std::process::id()));
        let mut touch = Command::new("touch");
        touch.arg(&file);
        let mut end = AtTheEnd::run(&touch).unwrap();
        assert!(end.0.try_wait().unwrap().is_none() && !file.exists(), "it waits");
        drop(end);
        assert!(file.exists());
        std::fs::remove_file(&file).unwrap();
    }
}
