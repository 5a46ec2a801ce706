//! A lab in a folder of its own, from programs that are built.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use anyhow::{Context, Result, bail};
use at_the_end::AtTheEnd;
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
        let failed = |why: &str| eprintln!("stopping the lab failed: {why}");
        let end = AtTheEnd::run(&down(), Stdio::inherit(), failed).context("cannot run sh")?;
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
