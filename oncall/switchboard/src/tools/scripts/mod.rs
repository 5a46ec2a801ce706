//! What somebody with the rights of the lab's owner does at a terminal, and what undoes it: a login expires, a table is put
//! away, a replica holds still, a password is replaced, a key is moved. For drills. A script is data: nothing that a drill or a
//! person writes becomes SQL or a command.
//!
//! What a script does is in the data, and outlives every process. So a script is noted in the lab's folder before it is run
//! until it is undone: the control room undoes it when the drill ends, and otherwise `lab up`, before a service starts.

mod known;
mod refused;

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    time::Duration,
};

use tokio::process::Command;

pub use self::{
    known::{Deed, SCRIPTS, Script, in_lines},
    refused::Attempt,
};
use super::{Lab, Tools, run};
use crate::{Error, Result};

/// How long a script may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The part that is the replica.
const REPLICA: &str = "postgres-replica";
/// Before each script: a statement that waits for a table holds up every statement behind it.
const LOCKS: &str = "SET lock_timeout = '3s'";

impl Lab {
    /// The scripts that were begun and not undone.
    #[must_use]
    pub fn scripts(&self) -> Vec<&'static Script> {
        Script::noted(&self.dir)
    }
}

impl Tools {
    /// Runs a script, as the lab's owner.
    ///
    /// # Errors
    /// When this is no lab on this machine, or what PostgreSQL, the command or the file system says. It is to be undone even then.
    pub async fn run_script(&self, script: &Script) -> Result<()> {
        let lab = self.scriptable()?;
        let noted = DirBuilder::new().recursive(true).mode(0o700).create(script.note(&lab.dir));
        noted.map_err(|error| Error::Lab(format!("{} cannot be noted: {error}", script.name)))?;
        match script.deed {
            Deed::Sql { database, on_replica, run, .. } => psql(lab, database, on_replica, run).await,
            Deed::Lab { run, .. } => command(lab, run).await,
            Deed::Move { file, aside } => put(lab, file, aside),
        }
    }

    /// Undoes a script; it is well if it was not run.
    ///
    /// # Errors
    /// As [`Tools::run_script`].
    pub async fn undo_script(&self, script: &Script) -> Result<()> {
        let lab = self.scriptable()?;
        let note = script.note(&lab.dir);
        if !note.exists() {
            return Ok(());
        }
        match script.deed {
            Deed::Sql { database, on_replica, undo, .. } => psql(lab, database, on_replica, undo).await?,
            Deed::Lab { undo, .. } => command(lab, undo).await?,
            Deed::Move { file, aside } if lab.dir.join(aside).exists() => put(lab, aside, file)?,
            Deed::Move { .. } => {}
        }
        match fs::remove_dir(note) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::Lab(format!("{} cannot be forgotten: {error}", script.name)))
            }
            _ => Ok(()),
        }
    }

    fn scriptable(&self) -> Result<&Lab> {
        self.lab("no script can be run", "elsewhere do by hand what it would do")
    }
}

/// `lab psql`: the role and its password are the lab's own, and the control room needs neither.
async fn psql(lab: &Lab, database: &str, on_replica: bool, statements: &[&str]) -> Result<()> {
    let mut command = program(lab);
    command.args(["psql", database, "-X", "-q", "-v", "ON_ERROR_STOP=1"]);
    if on_replica {
        let state = lab.state()?;
        let port = state.part(REPLICA).and_then(|part| part.ports.get(REPLICA));
        let none = || Error::not_here("no replica of PostgreSQL runs", "start one with `lab up --replica`");
        command.args(["-p", &port.ok_or_else(none)?.to_string()]);
    }
    command.args([LOCKS].iter().chain(statements).flat_map(|statement| ["-c", statement]));
    run(command, "lab psql", PATIENCE).await.map(drop)
}

/// A command of `lab`, about this lab.
async fn command(lab: &Lab, arguments: &[&str]) -> Result<()> {
    let mut command = program(lab);
    command.args(arguments);
    run(command, &format!("lab {}", arguments.join(" ")), PATIENCE).await.map(drop)
}

fn program(lab: &Lab) -> Command {
    let mut command = Command::new(&lab.program);
    command.arg("--root").arg(&lab.root).arg("--dir").arg(&lab.dir);
    command
}

/// Gives a file of the lab's folder another name; it is well if it has that name already.
fn put(lab: &Lab, from: &str, to: &str) -> Result<()> {
    let (from, to) = (lab.dir.join(from), lab.dir.join(to));
    if to.exists() {
        return Ok(());
    }
    let failed = |error: io::Error| Error::Lab(format!("{} cannot be moved: {error}", from.display()));
    fs::rename(&from, &to).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// A lab whose program is another one, which takes any arguments.
    fn tools(folder: &Path, program: &str) -> Tools {
        let lab = Lab { root: "/".into(), dir: folder.into(), program: program.into() };
        Tools { lab: Some(lab), ..Tools::default() }
    }

    #[test]
    fn a_script_has_one_statement_in_each_line_and_undoes_what_it_does() {
        let mut names: Vec<&str> = SCRIPTS.iter().map(|script| script.name).collect();
        names.dedup();
        assert!(names.is_sorted() && names.len() == SCRIPTS.len(), "{names:?}");
        for script in &SCRIPTS {
            assert_eq!(Script::named(script.name), Some(script));
            let (run, undo) = match script.deed {
                Deed::Sql { run, undo, .. } | Deed::Lab { run, undo } => (run, undo),
                Deed::Move { file, aside } => {
                    assert_ne!(file, aside, "{}", script.name);
                    continue;
                }
            };
            assert!(!run.is_empty() && !undo.is_empty(), "{}", script.name);
            for statement in run.iter().chain(undo) {
                // Single-user mode takes a line for a statement.
                assert!(!statement.contains(['\n', ';']), "{statement}");
            }
        }
        assert_eq!(Script::named("users; drop"), None);
        assert_eq!(in_lines(&["SET ROLE users", "SELECT 1"]), "SET ROLE users;\nSELECT 1;\n");
    }

    #[tokio::test]
    async fn a_file_has_another_name_until_the_script_is_undone_and_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let tools = tools(folder.path(), "false");
        let script = Script::named("backup-key").unwrap();
        let said = tools.run_script(script).await.unwrap_err().to_string();
        assert!(said.contains("backup-key cannot be moved"), "{said}");
        let secrets = folder.path().join("secrets");
        let (key, aside) = (secrets.join("backup-key"), secrets.join("backup-key.aside"));
        fs::create_dir(&secrets).unwrap();
        fs::write(&key, "key").unwrap();
        for _ in 0..2 {
            tools.run_script(script).await.unwrap();
            assert!(!key.exists() && aside.exists(), "even if it is run twice");
        }
        tools.undo_script(script).await.unwrap();
        assert_eq!(fs::read_to_string(&key).unwrap(), "key");
        assert!(tools.lab.unwrap().scripts().is_empty() && !aside.exists());
    }

    #[tokio::test]
    async fn a_script_is_noted_until_it_is_undone_even_if_it_failed() {
        let folder = tempfile::tempdir().unwrap();
        let (works, fails) = (tools(folder.path(), "true"), tools(folder.path(), "false"));
        let lab = works.lab.clone().unwrap();
        let script = Script::named("orders-login").unwrap();
        fails.undo_script(script).await.unwrap();
        assert!(lab.scripts().is_empty(), "it was not run, and nothing has to be undone");
        works.run_script(script).await.unwrap();
        assert_eq!(lab.scripts(), [script]);
        assert!(fails.undo_script(script).await.is_err());
        assert_eq!(lab.scripts(), [script], "it is tried again");
        works.undo_script(script).await.unwrap();
        assert!(lab.scripts().is_empty());
        assert!(fails.run_script(script).await.is_err());
        assert_eq!(lab.scripts(), [script], "some of it may be done");
    }

    #[tokio::test]
    async fn without_a_lab_or_a_replica_the_next_step_is_named() {
        let script = Script::named("replica-replay").unwrap();
        let said = Tools::default().run_script(script).await.unwrap_err().to_string();
        assert!(said.contains("LAB_PROGRAM"), "{said}");
        let folder = tempfile::tempdir().unwrap();
        let said = tools(folder.path(), "true").run_script(script).await.unwrap_err().to_string();
        assert!(said.contains("`lab up`"), "{said}");
    }
}
