//! Programs and folders of a PostgreSQL on this machine, for those who work on its data: backups.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use super::{access::rules, base, make, runner::Runner, text};
use crate::{home::Home, parts::programs};

/// Settings that the caller of `lab` made for clients of another server, and secrets that no program of PostgreSQL needs.
const OTHERS: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "PGDATABASE",
    "PGHOST",
    "PGHOSTADDR",
    "PGOPTIONS",
    "PGPASSFILE",
    "PGPASSWORD",
    "PGPORT",
    "PGSERVICE",
    "PGSSLMODE",
    "PGUSER",
];

/// One installation, the user who runs servers, and the folder in which their data are.
pub(crate) struct Local {
    bin: PathBuf,
    runner: Runner,
    base: PathBuf,
}

impl Local {
    /// Of this lab. Creates the folder of its data if it does not exist.
    ///
    /// # Errors
    /// As [`super::part`].
    pub(crate) fn of(home: &Home) -> Result<Self> {
        let runner = Runner::choose()?;
        let base = base(home, &runner)?;
        Ok(Self { bin: programs::postgres_folder()?, runner, base })
    }

    /// With its data in this folder, which the user who runs servers must be able to reach.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, or no user can run it.
    #[cfg(test)]
    pub(crate) fn at(base: &Path) -> Result<Self> {
        let runner = Runner::choose()?;
        make(base, &runner)?;
        Ok(Self { bin: programs::postgres_folder()?, runner, base: base.to_path_buf() })
    }

    /// The data folder of the lab's server.
    pub(crate) fn cluster(&self) -> PathBuf {
        self.base.join("cluster")
    }

    /// A folder or file next to it.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.base.join(name)
    }

    /// Whether a program of the installation exists: distributions pack some of them apart.
    pub(crate) fn has(&self, program: &str) -> bool {
        self.bin.join(program).is_file()
    }

    /// A program of PostgreSQL, run by the user who runs servers.
    pub(crate) fn command(&self, program: &str) -> Command {
        self.run(&self.bin.join(program))
    }

    /// Any program, run by that user.
    pub(crate) fn run(&self, program: &Path) -> Command {
        let line = self.runner.line(program, &self.base);
        let mut command = Command::new(&line.program);
        command.args(&line.args).current_dir(&self.base);
        plain(command)
    }

    /// A client of PostgreSQL, run by the user who runs `lab`: only they can read its password.
    pub(crate) fn client(&self, program: &str) -> Command {
        plain(Command::new(self.bin.join(program)))
    }

    /// The server's version, such as `15.18`.
    ///
    /// # Errors
    /// When the program cannot be run.
    pub(crate) fn version(&self) -> Result<String> {
        let output = self.client("postgres").arg("--version").output().context("cannot run postgres")?;
        let words = String::from_utf8_lossy(&output.stdout).into_owned();
        // postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)
        Ok(words.split_whitespace().nth(2).unwrap_or("unknown").to_owned())
    }

    /// An empty folder beside the data, for the user who runs servers; what was there is removed.
    ///
    /// # Errors
    /// When it cannot be emptied or created.
    pub(crate) fn fresh(&self, name: &str) -> Result<PathBuf> {
        let folder = self.beside(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        make(&folder, &self.runner)?;
        Ok(folder)
    }

    /// Gives a file or folder to the user who runs servers.
    ///
    /// # Errors
    /// When it cannot be given away.
    pub(crate) fn own(&self, path: &Path) -> Result<()> {
        self.runner.own(path)
    }

    /// Writes who may log in, as a start of the lab does: it may have been wiped with the data.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn rules(&self) -> Result<()> {
        let path = rules(&self.base)?;
        self.own(&path)
    }

    /// A path as an argument.
    pub(crate) fn text(path: &Path) -> String {
        text(path)
    }
}

/// Without settings for another server, in the language and the time zone in which its output is read.
fn plain(mut command: Command) -> Command {
    OTHERS.iter().for_each(|name| {
        command.env_remove(name);
    });
    command.env("LC_ALL", "C").env("TZ", "UTC").stdin(Stdio::null());
    command
}
