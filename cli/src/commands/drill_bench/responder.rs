//! A program that responds, as a process: what it may know, and how it ends.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result};
use clap::Args;
use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    time::timeout,
};

use super::{room::Room, walls::Walls};

/// How long a program may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(5);
/// What every program may know of this shell: where programs are, its own files, its language. Nothing of the
/// lab.
const KEPT: &[&str] = &["PATH", "HOME", "USER", "LANG", "LC_ALL", "TERM", "TZ", "TMPDIR"];
/// Longest name, as in oncall.yaml.
const LONGEST: usize = 63;

/// A program that responds.
#[derive(Debug, Clone, Args)]
pub(crate) struct Responder {
    /// Its command line. It is run by `sh` in an empty folder, with LAB_URL, LAB_MCP_URL, LAB_RUN_ID,
    /// LAB_AGENT and, if there is one, LAB_TOKEN in its environment. Where Linux allows it, it does not see the
    /// checkout and the lab's folder.
    #[arg(long = "responder", value_name = "CMD", required = false)]
    command: String,
    /// Its name in reports and timelines; by default that of its program.
    #[arg(long = "responder-name", value_name = "NAME", value_parser = named)]
    name: Option<String>,
    /// A variable of this shell that it gets, too, such as an API key; may be repeated.
    #[arg(long = "env", value_name = "NAME")]
    variables: Vec<String>,
}

/// A program that runs, with all that it started. Ends with this value.
pub(super) struct Running {
    child: Child,
    group: Option<Pid>,
    /// A copy of the program, if the walls hide where it is.
    _copy: TempDir,
}

impl Responder {
    /// Its name.
    pub(super) fn name(&self) -> String {
        let program = self.command.split_whitespace().next().unwrap_or_default();
        self.name.clone().unwrap_or_else(|| name_of(program))
    }

    /// Starts it in a folder and behind walls, for a run.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(&self, walls: &Walls, folder: &Path, room: &Room, run: i64) -> Result<Running> {
        let copy = tempfile::tempdir()?;
        let line = absolute(&self.command, |program| walls.moved(program, copy.path()))?;
        let mut command = Command::from(walls.command(&line));
        command
            .current_dir(folder)
            .env_clear()
            .envs(self.environment(std::env::vars_os()))
            .env("LAB_URL", room.base())
            .env("LAB_MCP_URL", format!("{}/mcp", room.base()))
            .env("LAB_RUN_ID", run.to_string())
            .env("LAB_AGENT", self.name())
            .envs(room.token().map(|token| ("LAB_TOKEN", token)))
            .stdin(Stdio::null())
            // Standard output is the report's.
            .stdout(Stdio::from(std::io::stderr()))
            .process_group(0)
            .kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("cannot run `{}`", self.command))?;
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Ok(Running { child, group, _copy: copy })
    }

    /// What it may know of an environment.
    fn environment(&self, all: impl Iterator<Item = (OsString, OsString)>) -> Vec<(OsString, OsString)> {
        let kept = |name: &OsString| {
            let own = self.variables.iter().map(String::as_str);
            KEPT.iter().copied().chain(own).any(|kept| name == kept)
        };
        all.filter(|(name, _)| kept(name)).collect()
    }
}

impl Running {
    /// How it ended, if it has.
    ///
    /// # Errors
    /// When that cannot be known.
    pub(super) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Ends it: asks, waits, insists.
    pub(super) async fn stop(&mut self) {
        self.signal(Signal::TERM);
        if timeout(GRACE, self.child.wait()).await.is_err() {
            self.signal(Signal::KILL);
            // It cannot refuse.
            let _ = self.child.wait().await;
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // Fails only if none of them is left.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // What it started and did not wait for.
        self.signal(Signal::KILL);
    }
}

/// The command line with its program as an absolute path, if it is one: it is run in another folder. `moved` says
/// where the program is then.
fn absolute(line: &str, moved: impl FnOnce(PathBuf) -> Result<PathBuf>) -> Result<String> {
    let line = line.trim();
    let (program, rest) = line.split_at(line.find(char::is_whitespace).unwrap_or(line.len()));
    if !program.contains('/') {
        return Ok(line.to_owned());
    }
    let path = std::fs::canonicalize(program).with_context(|| format!("--responder: {program}"))?;
    let path = moved(path)?;
    let path = path.to_str().context("--responder: expected a path in UTF-8")?.replace('\'', r"'\''");
    Ok(format!("'{path}'{rest}"))
}

/// A program's name as one that a timeline takes: of a-z, 0-9 and `-`.
fn name_of(program: &str) -> String {
    let stem = Path::new(program).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let letters = stem.to_ascii_lowercase();
    let letters = letters.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(LONGEST);
    let name = letters.collect::<String>().trim_matches('-').to_owned();
    if name.is_empty() { "responder".to_owned() } else { name }
}

fn named(text: &str) -> Result<String, String> {
    let right = !text.is_empty() && name_of(text) == text;
    if right {
        Ok(text.to_owned())
    } else {
        Err("expected a name of a-z, 0-9 and -, such as my-agent".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn responder(command: &str, variables: &[&str]) -> Responder {
        let variables = variables.iter().map(|name| (*name).to_owned()).collect();
        Responder { command: command.to_owned(), name: None, variables }
    }

    #[test]
    fn a_program_is_named_by_its_file() {
        for (command, name) in [
            ("drills/responders/restart-all --fast", "restart-all"),
            ("python3 My_Agent.py", "python3"),
            ("/opt/My_Agent.py", "my-agent"),
            ("...", "responder"),
        ] {
            assert_eq!(responder(command, &[]).name(), name, "{command}");
        }
        assert!(named("my-agent").is_ok() && named("My agent").is_err() && named("").is_err());
    }

    #[test]
    fn a_program_gets_nothing_of_the_environment_that_nobody_named() {
        let all =
            ["PATH", "FAULTS_TOKEN", "LAB_DIR", "LAB_ROOT", "PWD", "OLDPWD", "CONTROL_ROOM_TOKEN", "MY_KEY"];
        let all = || all.into_iter().map(|name| (OsString::from(name), OsString::from("x")));
        let kept = |responder: &Responder| {
            let kept = responder.environment(all()).into_iter();
            kept.map(|(name, _)| name.into_string().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(kept(&responder("x", &[])), ["PATH"]);
        assert_eq!(kept(&responder("x", &["MY_KEY"])), ["PATH", "MY_KEY"]);
    }

    #[test]
    fn a_path_stays_right_in_another_folder_and_a_name_is_looked_up() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("it's an agent");
        std::fs::write(&program, "").unwrap();
        let link = folder.path().join("agent");
        std::os::unix::fs::symlink(&program, &link).unwrap();
        let line = absolute(&format!("{} --fast 'a b'", link.display()), Ok).unwrap();
        assert!(line.ends_with(r"it'\''s an agent' --fast 'a b'"), "{line}");
        assert_eq!(absolute("my-agent --fast", Ok).unwrap(), "my-agent --fast");
        assert!(absolute("./no/such/agent", Ok).unwrap_err().to_string().contains("./no/such/agent"));
    }
}
