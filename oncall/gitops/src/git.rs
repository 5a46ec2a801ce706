//! Runs the program `git`: always on this repository, whatever the caller's environment and configuration say.

use std::{path::Path, process::Stdio};

use tokio::{io::AsyncWriteExt as _, process::Command};

use crate::{Error, Result};

/// Variables that would make it work on something else. Those of a push that is being received are kept: without them a
/// hook does not see the pushed commits.
const FOREIGN: [&str; 5] =
    ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_NAMESPACE", "GIT_CONFIG_PARAMETERS"];

/// One run of it.
pub(crate) struct Git<'a> {
    pub(crate) folder: &'a Path,
    /// A checkout of the repository, for what needs files.
    pub(crate) checkout: Option<&'a Path>,
    pub(crate) input: &'a str,
    pub(crate) env: Vec<(&'static str, String)>,
}

impl<'a> Git<'a> {
    pub(crate) fn of(folder: &'a Path) -> Self {
        Self { folder, checkout: None, input: "", env: Vec::new() }
    }

    /// Its output.
    pub(crate) async fn run(&self, args: &[&str]) -> Result<String> {
        let output = self.ask(args).await?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(Error::Git { what: args.first().copied().unwrap_or_default().to_owned(), said });
        }
        let what = || format!("git {} printed something that is no text", args.join(" "));
        String::from_utf8(output.stdout).map_err(|_| Error::Odd(what()))
    }

    /// Its output and status, whatever they are.
    pub(crate) async fn ask(&self, args: &[&str]) -> Result<std::process::Output> {
        let mut command = Command::new("git");
        match self.checkout {
            Some(checkout) => command.arg("-C").arg(checkout),
            None => command.arg("--git-dir").arg(self.folder),
        };
        for name in FOREIGN {
            command.env_remove(name);
        }
        command
            .args(args)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C")
            .envs(self.env.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(Error::Program)?;
        if let Some(mut stdin) = child.stdin.take() {
            // It may end without reading all of it; its status says so.
            let _ = stdin.write_all(self.input.as_bytes()).await;
        }
        child.wait_with_output().await.map_err(Error::Program)
    }
}
