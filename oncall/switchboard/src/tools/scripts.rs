//! What somebody with the rights of the database's owner does in PostgreSQL, and what undoes it: a login expires, a table is
//! put away, a replica holds still. For drills. A script is data: nothing that a drill or a person writes becomes SQL.
//!
//! What a script does is in the data, and outlives every process. So a script is noted in the lab's folder before it is run
//! until it is undone: the control room undoes it when the drill ends, and otherwise `lab up`, before a service starts.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::process::Command;

use super::{Lab, Tools, run};
use crate::{Error, Result};

/// How long a script may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The part that is the replica.
const REPLICA: &str = "postgres-replica";
/// Before each script: a statement that waits for a table holds up every statement behind it.
const LOCKS: &str = "SET lock_timeout = '3s'";

/// One script.
#[derive(Debug, PartialEq, Eq)]
pub struct Script {
    /// Its name.
    pub name: &'static str,
    /// The database in which it is run.
    pub database: &'static str,
    /// Whether it is run in the replica. What it does there ends with the server's process.
    pub on_replica: bool,
    run: &'static [&'static str],
    undo: &'static [&'static str],
}

/// All of them. Each statement can be repeated: a run that was interrupted begins again.
pub static SCRIPTS: [Script; 4] = [
    Script {
        name: "backup-login",
        database: "postgres",
        on_replica: false,
        run: &[
            "SELECT public.lease('backup', now() - interval '1 minute')",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'backup'",
        ],
        undo: &["SELECT public.lease('backup', 'infinity')"],
    },
    Script {
        name: "orders-login",
        database: "postgres",
        on_replica: false,
        run: &[
            "SELECT public.lease('orders', now() - interval '1 minute')",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'orders'",
            // A login of a moment ago may be in no list yet.
            "SELECT pg_sleep(0.3)",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'orders'",
        ],
        undo: &["SELECT public.lease('orders', 'infinity')"],
    },
    Script {
        name: "replica-replay",
        database: "postgres",
        on_replica: true,
        run: &["SELECT pg_wal_replay_pause()"],
        // Not if it was promoted meanwhile: then there is nothing to resume.
        undo: &["SELECT pg_wal_replay_resume() WHERE pg_is_in_recovery()"],
    },
    Script {
        name: "users-table",
        database: "users",
        on_replica: false,
        run: &[
            "SET ROLE users",
            "CREATE SCHEMA IF NOT EXISTS unused",
            "ALTER TABLE IF EXISTS public.users SET SCHEMA unused",
        ],
        undo: &[
            "SET ROLE users",
            "ALTER TABLE IF EXISTS unused.users SET SCHEMA public",
            "DROP SCHEMA IF EXISTS unused",
        ],
    },
];

impl Script {
    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SCRIPTS.iter().find(|script| script.name == name)
    }

    /// Those that were begun in the lab with this folder and not undone.
    #[must_use]
    pub fn noted(lab: &Path) -> Vec<&'static Self> {
        SCRIPTS.iter().filter(|script| script.note(lab).exists()).collect()
    }

    /// The folder that says so.
    #[must_use]
    pub fn note(&self, lab: &Path) -> PathBuf {
        lab.join("scripts").join(self.name)
    }

    /// The statements that undo it, one in each line.
    #[must_use]
    pub fn undoes(&self) -> String {
        self.undo.iter().map(|statement| format!("{statement};\n")).collect()
    }
}

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
    /// When this is no lab on this machine, or what PostgreSQL says. It is to be undone even then.
    pub async fn run_script(&self, script: &Script) -> Result<()> {
        let lab = self.scriptable()?;
        let noted = DirBuilder::new().recursive(true).mode(0o700).create(script.note(&lab.dir));
        noted.map_err(|error| Error::Lab(format!("{} cannot be noted: {error}", script.name)))?;
        psql(lab, script, script.run).await
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
        psql(lab, script, script.undo).await?;
        match fs::remove_dir(note) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::Lab(format!("{} cannot be forgotten: {error}", script.name)))
            }
            _ => Ok(()),
        }
    }

    fn scriptable(&self) -> Result<&Lab> {
        self.lab("PostgreSQL cannot be changed", "elsewhere use psql, as the owner of the databases")
    }
}

/// `lab psql`: the role and its password are the lab's own, and the control room needs neither.
async fn psql(lab: &Lab, script: &Script, statements: &[&str]) -> Result<()> {
    let mut command = Command::new(&lab.program);
    command.arg("--root").arg(&lab.root).arg("--dir").arg(&lab.dir).args(["psql", script.database]);
    command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1"]);
    if script.on_replica {
        let state = lab.state()?;
        let port = state.part(REPLICA).and_then(|part| part.ports.get(REPLICA));
        let none = || Error::not_here("no replica of PostgreSQL runs", "start one with `lab up --replica`");
        command.args(["-p", &port.ok_or_else(none)?.to_string()]);
    }
    command.args([LOCKS].iter().chain(statements).flat_map(|statement| ["-c", statement]));
    run(command, "lab psql", PATIENCE).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lab whose program is another one, which takes any arguments.
    fn tools(folder: &Path, program: &str) -> Tools {
        let lab = Lab { root: "/".into(), dir: folder.into(), program: program.into() };
        Tools { lab: Some(lab), ..Tools::default() }
    }

    #[test]
    fn a_script_has_one_statement_in_each_line_and_undoes_what_it_does() {
        for script in &SCRIPTS {
            assert_eq!(Script::named(script.name), Some(script));
            assert!(!script.run.is_empty() && !script.undo.is_empty(), "{}", script.name);
            for statement in script.run.iter().chain(script.undo) {
                // Single-user mode takes a line for a statement.
                assert!(!statement.contains(['\n', ';']), "{statement}");
            }
        }
        assert_eq!(Script::named("users; drop"), None);
        let table = Script::named("users-table").unwrap();
        let expected = "SET ROLE users;\nALTER TABLE IF EXISTS unused.users SET SCHEMA public;\n\
                        DROP SCHEMA IF EXISTS unused;\n";
        assert_eq!(table.undoes(), expected);
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
