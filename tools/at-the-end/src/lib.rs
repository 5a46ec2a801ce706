//! A command that runs when this process is gone, however it ends: what starts a lab of its own must not leave it behind after Ctrl-C
//! or SIGKILL. It knows no lab.

use std::{
    io,
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
};

/// Waits until its input ends, and becomes the command in its arguments. Whatever ends the process at the other end of the pipe, the
/// kernel closes the pipe.
const WAIT: &str = "trap '' HUP INT TERM; cat >/dev/null; exec \"$@\"";

/// Runs a command when it is dropped, or when this process is gone.
#[derive(Debug)]
pub struct AtTheEnd {
    child: Child,
    failed: fn(&str),
}

impl AtTheEnd {
    /// Runs `command` with its folder, and its environment in addition to that of this process. What it prints is dropped, and what it
    /// prints on standard error goes to `errors`. `failed` is told why, if it fails when this is dropped.
    ///
    /// # Errors
    /// If there is no shell to wait in.
    pub fn run(command: &Command, errors: Stdio, failed: fn(&str)) -> io::Result<Self> {
        let mut wait = Command::new("sh");
        wait.args(["-c", WAIT, "sh"]).arg(command.get_program()).args(command.get_args());
        if let Some(folder) = command.get_current_dir() {
            wait.current_dir(folder);
        }
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                wait.env(name, value);
            }
        }
        // Not in the group that the terminal's Ctrl-C reaches.
        wait.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(errors).process_group(0);
        Ok(Self { child: wait.spawn()?, failed })
    }
}

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        // Closes the pipe first.
        match self.child.wait() {
            Ok(status) if status.success() => {}
            Ok(status) => (self.failed)(&status.to_string()),
            Err(error) => (self.failed)(&error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn run(command: &Command) -> AtTheEnd {
        AtTheEnd::run(command, Stdio::inherit(), |why| panic!("it failed: {why}")).unwrap()
    }

    #[test]
    fn the_command_runs_when_the_pipe_closes_and_not_before() {
        let file = std::env::temp_dir().join(format!("at-the-end-{}", std::process::id()));
        let mut touch = Command::new("touch");
        touch.arg(&file).current_dir("/");
        let mut end = run(&touch);
        assert!(end.child.try_wait().unwrap().is_none() && !file.exists(), "it waits");
        // What the kernel does for a process that was killed.
        drop(end.child.stdin.take());
        drop(end);
        assert!(file.exists());
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn folder_and_environment_are_those_of_the_command() {
        let file = std::env::temp_dir().join(format!("at-the-end-environment-{}", std::process::id()));
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "echo \"$PWD $LAB_ROOT\" >\"$0\""])
            .arg(&file)
            .current_dir("/")
            .env("LAB_ROOT", "/x");
        drop(run(&shell));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "/ /x\n");
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn a_command_that_fails_is_told() {
        static TOLD: AtomicBool = AtomicBool::new(false);
        let end = AtTheEnd::run(&Command::new("false"), Stdio::null(), |why| {
            TOLD.store(why.contains("exit status: 1"), Ordering::Relaxed);
        });
        drop(end.unwrap());
        assert!(TOLD.load(Ordering::Relaxed));
    }
}
