//! Runs programs from the root of the repository.

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
};

use anyhow::{Context, Result, bail};

/// Where commands run, and whether a missing program is a failure.
#[derive(Debug)]
pub(crate) struct Shell {
    /// The root of the repository.
    pub(crate) root: PathBuf,
    ci: bool,
}

impl Shell {
    /// Finds the root of the repository.
    pub(crate) fn new(ci: bool) -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let root = root.canonicalize().context("the repository has moved: build xtask again")?;
        Ok(Self { root, ci })
    }

    /// The same for another checkout.
    pub(crate) fn at(&self, root: PathBuf) -> Self {
        Self { root, ci: self.ci }
    }

    /// The folder of tools that are built once.
    pub(crate) fn tools(&self) -> PathBuf {
        self.root.join("target/tools")
    }

    /// A command in the root of the repository. A program with a path is relative to it.
    pub(crate) fn command(&self, program: &str, args: &[&str]) -> Command {
        let path = if program.contains('/') { self.root.join(program) } else { program.into() };
        let mut command = Command::new(path);
        command.args(args).current_dir(&self.root);
        command
    }

    /// Runs a program to its end; fails unless it exits with 0.
    pub(crate) fn run(&self, program: &str, args: &[&str]) -> Result<()> {
        finish(&mut self.command(program, args))
    }

    /// Runs a program and returns what it prints.
    pub(crate) fn output(&self, program: &str, args: &[&str]) -> Result<String> {
        let output = self.command(program, args).stderr(Stdio::inherit()).output();
        let output = output.with_context(|| format!("cannot run {program}"))?;
        if !output.status.success() {
            bail!("{program} {}: {}", args.join(" "), output.status);
        }
        String::from_utf8(output.stdout).with_context(|| format!("{program} does not print UTF-8"))
    }

    /// Whether `program` with `args` exits with 0; prints nothing.
    pub(crate) fn quietly(&self, program: &str, args: &[&str]) -> bool {
        let mut command = self.command(program, args);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    /// The files of the repository that match the patterns of `git ls-files`, by name.
    pub(crate) fn files(&self, patterns: &[&str]) -> Result<Vec<String>> {
        let args =
            [&["ls-files", "--cached", "--others", "--exclude-standard", "-z", "--"], patterns].concat();
        let list = self.output("git", &args)?;
        // A file that was deleted but not committed is still in the index.
        let there = |name: &&str| !name.is_empty() && self.root.join(name).is_file();
        Ok(list.split('\0').filter(there).map(Into::into).collect())
    }

    /// A check that cannot run on this machine: reported on a laptop, a failure in CI.
    pub(crate) fn skip(&self, what: &str, why: &str) -> Result<()> {
        if self.ci {
            bail!("{what}: {why}");
        }
        println!("SKIPPED: {what} ({why})");
        Ok(())
    }
}

/// Runs a command to its end; fails unless it exits with 0.
pub(crate) fn finish(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {}", program(command)))?;
    passed(command, status)
}

/// As [`finish`], but what the command says is printed when it has ended: other programs print meanwhile.
pub(crate) fn finish_in_one_piece(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot run {}", program(command)))?;
    let said = [output.stdout, output.stderr].concat();
    print!("{}", String::from_utf8_lossy(&said));
    passed(command, output.status)
}

fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

fn passed(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        let args: Vec<_> = command.get_args().map(|arg| arg.to_string_lossy()).collect();
        // A long list of files is not useful: the program has named those with problems.
        let args = if args.len() > 12 { "…".to_owned() } else { args.join(" ") };
        bail!("{} {args}: {status}", program(command));
    }
    Ok(())
}
