//! A lab in a folder of its own, from programs that are built.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Stopped and removed when dropped.
#[derive(Debug)]
pub(crate) struct Lab {
    program: PathBuf,
    root: PathBuf,
    folder: PathBuf,
}

impl Lab {
    /// Starts the lab of `programs`, a folder, and of the checkout `root` in `folder`, and waits until it is ready. One request in a
    /// hundred is traced, as is usual at such rates.
    pub(crate) fn up(programs: &Path, root: &Path, folder: &Path, args: &[&str]) -> Result<Self> {
        let lab = Self { program: programs.join("lab"), root: root.to_owned(), folder: folder.to_owned() };
        // Ctrl-C leaves a lab behind, which would be in the way. If that fails, `lab up` says why.
        let _ = lab.run(&["down", "--purge"]);
        lab.run(&[&["up", "--detach", "--trace-ratio", "0.01"], args].concat())?;
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
        let mut command = Command::new(&self.program);
        command.arg("--dir").arg(&self.folder).args(args).current_dir(&self.root).env("LAB_ROOT", &self.root);
        let output = command.output().with_context(|| format!("cannot run {}", self.program.display()))?;
        if !output.status.success() {
            bail!("lab {} failed:\n{}", args.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(output)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if let Err(error) = self.run(&["down", "--purge"]) {
            eprintln!("{error}");
        }
    }
}
