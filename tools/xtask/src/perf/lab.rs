//! A lab in a folder of its own, from programs that are built.

use std::{
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Stopped and removed when dropped, and when this process ends in any other way, such as by Ctrl-C.
#[derive(Debug)]
pub(crate) struct Lab {
    program: PathBuf,
    root: PathBuf,
    folder: PathBuf,
    _end: AtTheEnd,
}

impl Lab {
    /// Starts the lab of `programs`, a folder, and of the checkout `root` in `folder`, and waits until it is ready. One request in a
    /// hundred is traced, as is usual at such rates, unless `args` has another ratio.
    pub(crate) fn up(programs: &Path, root: &Path, folder: &Path, args: &[&str]) -> Result<Self> {
        let program = programs.join("lab");
        let down = || command(&program, root, folder, &["down", "--purge"]);
        // A machine that lost its power leaves a lab's folder behind, which would be in the way. If that fails, `lab up` says why.
        let _ = down().output();
        let end = AtTheEnd::run(&down())?;
        let lab = Self { program, root: root.to_owned(), folder: folder.to_owned(), _end: end };
        lab.run(&[&["up", "--detach"], args].concat())?;
        Ok(lab)
    }

    /// The port of this name.
    pub(crate) fn port(&self, name: &str) -> Result<u64> {
        let parts = self.parts()?;
        let port = parts.iter().find_map(|part| part["ports"][name].as_u64());
        port.with_context(|| format!("the lab in {} has no port `{name}`", self.folder.display()))
    }

    /// The process of this part.
    pub(crate) fn pid(&self, name: &str) -> Result<u64> {
        let parts = self.parts()?;
        let names = || parts.iter().filter_map(|part| part["name"].as_str()).collect::<Vec<_>>().join(", ");
        let part = parts.iter().find(|part| part["name"] == name);
        let pid = part.and_then(|part| part["pid"].as_u64());
        pid.with_context(|| format!("`{name}` does not run; the parts are {}", names()))
    }

    fn parts(&self) -> Result<Vec<Value>> {
        let status: Value = serde_json::from_slice(&self.run(&["status", "--json"])?.stdout)?;
        status["parts"].as_array().cloned().context("lab status prints no parts")
    }

    fn run(&self, args: &[&str]) -> Result<Output> {
        let output = command(&self.program, &self.root, &self.folder, args).output();
        let output = output.with_context(|| format!("cannot run {}", self.program.display()))?;
        if !output.status.success() {
            bail!("lab {} failed:\n{}", args.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(output)
    }
}

fn command(program: &Path, root: &Path, folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.arg("--dir").arg(folder).args(args).current_dir(root);
    // What `args` has counts more.
    command.env("LAB_ROOT", root).env("LAB_TRACE_RATIO", "0.01");
    command
}

/// Waits until its input ends, and becomes the command in its arguments. Whatever ends the process at the other end of the pipe, the
/// kernel closes the pipe.
const WAIT: &str = "trap '' HUP INT TERM; cat >/dev/null; exec \"$@\"";

/// Runs a command when it is dropped, or when this process is gone.
#[derive(Debug)]
struct AtTheEnd(Child);

impl AtTheEnd {
    /// `command` with its folder, and its environment in addition to that of this process.
    fn run(command: &Command) -> Result<Self> {
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
        let file = std::env::temp_dir().join(format!("xtask-at-the-end-{}", std::process::id()));
        let mut touch = Command::new("touch");
        touch.arg(&file).current_dir("/");
        let mut end = AtTheEnd::run(&touch).unwrap();
        assert!(end.0.try_wait().unwrap().is_none() && !file.exists(), "it waits");
        // What the kernel does for a process that was killed.
        drop(end.0.stdin.take());
        drop(end);
        assert!(file.exists());
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn folder_and_environment_are_those_of_the_command() {
        let file = std::env::temp_dir().join(format!("xtask-environment-{}", std::process::id()));
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "echo \"$PWD $LAB_ROOT\" >\"$0\""])
            .arg(&file)
            .current_dir("/")
            .env("LAB_ROOT", "/x");
        drop(AtTheEnd::run(&shell).unwrap());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "/ /x\n");
        std::fs::remove_file(&file).unwrap();
    }
}
