//! `lab rotate`: another password for the role of a service. PostgreSQL and the file of the secret have it at once; a process of
//! the service has what it was started with, until it is restarted.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    process::{ExitCode, Stdio},
};

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Utc};
use clap::Args;
use rustix::process::Signal;
use supervisor::state::PartState;

use super::clients::psql;
use crate::{home::Home, parts::postgres, secrets::Secrets, terminal::out};

/// Databases, each with the service that uses it.
const USED_BY: [(&str, &str); 3] =
    [("users", "user-service"), ("orders", "order-api"), ("fulfillment", "order-worker")];

/// Replaces the password with which a service logs in to its database. Its sessions stay; a process reads the new password when
/// it is started. So restart the service afterwards, in the control room.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab rotate orders                  a new password; restart order-api afterwards\n  \
    lab rotate orders --end-sessions   the same after a leak: nobody who logged in with the old one stays\n  \
    lab rotate orders --settle         the password that order-api has is the valid one again")]
pub(crate) struct Rotate {
    /// Database: users, orders or fulfillment.
    database: String,
    /// End the sessions that logged in with the old password.
    #[arg(long)]
    end_sessions: bool,
    /// Make the database agree with the service: with a process that was started since, the new password stays, and
    /// others are restarted; without one, the old password is valid again.
    #[arg(long, conflicts_with = "end_sessions")]
    settle: bool,
}

impl Rotate {
    /// Runs the command.
    ///
    /// # Errors
    /// When no lab runs, or PostgreSQL refuses.
    pub(crate) fn run(&self, home: &Home) -> Result<ExitCode> {
        let known = || USED_BY.map(|(database, _)| database).join(", ");
        let (role, service) = USED_BY
            .into_iter()
            .find(|(database, _)| *database == self.database)
            .with_context(|| format!("there is no database `{}`; there are: {}", self.database, known()))?;
        let state = home.lab()?;
        let parts: Vec<PartState> =
            state.parts.into_iter().filter(|part| part.service() == service && alive(part)).collect();
        let rotation = Rotation { secrets: Secrets::of(home), role };
        if self.settle {
            return settle(home, &rotation, &parts);
        }
        rotation.renew(&parts)?;
        let mut sql = postgres::rekey(&rotation.secrets, role)?;
        if self.end_sessions {
            // A login of a moment ago may be in no list yet.
            let end =
                format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{role}'");
            sql = format!("{sql}; {end}; SELECT pg_sleep(0.3); {end}");
        }
        run(home, &sql)?;
        out!("{role} has a new password; {service} has the old one until it is restarted");
        Ok(ExitCode::SUCCESS)
    }
}

fn alive(part: &PartState) -> bool {
    part.process.is_some_and(supervisor::process::ProcId::alive)
}

/// Ends a rotation.
fn settle(home: &Home, rotation: &Rotation, parts: &[PartState]) -> Result<ExitCode> {
    let Some(at) = rotation.at()? else {
        out!("no rotation of {} is under way", rotation.role);
        return Ok(ExitCode::SUCCESS);
    };
    let (with_new, with_old): (Vec<_>, Vec<_>) = parts.iter().partition(|part| since(part, at));
    if with_new.is_empty() {
        rotation.take_back()?;
        run(home, &postgres::rekey(&rotation.secrets, rotation.role)?)?;
    } else {
        for part in with_old {
            if let Some(process) = part.process {
                process.signal(Signal::TERM);
            }
        }
    }
    rotation.forget()?;
    let valid = if with_new.is_empty() { "old" } else { "new" };
    out!("the {valid} password of {} is valid", rotation.role);
    Ok(ExitCode::SUCCESS)
}

/// Whether a part was started after a moment.
fn since(part: &PartState, at: DateTime<Utc>) -> bool {
    part.started_at.is_some_and(|started| started > at)
}

/// The secrets of one role while its password is replaced: the valid one, and the one before.
struct Rotation {
    secrets: Secrets,
    role: &'static str,
}

impl Rotation {
    fn name(&self) -> String {
        postgres::password_file(self.role)
    }

    fn before(&self) -> String {
        format!("{}.before", self.name())
    }

    /// When the password was replaced; `None` if no rotation is under way.
    fn at(&self) -> Result<Option<DateTime<Utc>>> {
        match fs::metadata(self.secrets.path(&self.before())).and_then(|file| file.modified()) {
            Ok(time) => Ok(Some(time.into())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot look at the password of {}", self.role)),
        }
    }

    /// Makes a new password, unless that was done before and no process has the new one yet.
    fn renew(&self, parts: &[PartState]) -> Result<()> {
        if self.at()?.is_some_and(|at| !parts.iter().any(|part| since(part, at))) {
            return Ok(());
        }
        let now = fs::read_to_string(self.secrets.path(&self.name()))
            .with_context(|| format!("cannot read the password of {}", self.role))?;
        self.secrets.write(&self.before(), now.trim())?;
        self.secrets.replace(&self.name())?;
        Ok(())
    }

    /// The password before is the valid one again.
    fn take_back(&self) -> Result<()> {
        let before = fs::read_to_string(self.secrets.path(&self.before()))
            .with_context(|| format!("cannot read the password that {} had", self.role))?;
        self.secrets.write(&self.name(), before.trim())?;
        Ok(())
    }

    fn forget(&self) -> Result<()> {
        let path = self.secrets.path(&self.before());
        fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))
    }
}

/// Runs statements as the lab's owner. On standard input: everybody can read a command line.
fn run(home: &Home, sql: &str) -> Result<()> {
    let mut command = psql(home, "postgres")?;
    command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().context("cannot run psql")?;
    let mut input = child.stdin.take().context("psql takes no input")?;
    // One that has ended already says why below.
    let _ = writeln!(input, "{sql};");
    drop(input);
    let output = child.wait_with_output().context("cannot wait for psql")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        bail!("PostgreSQL did not take the password: {said}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::json;

    use super::*;

    fn rotation(folder: &tempfile::TempDir) -> Rotation {
        let dir = supervisor::Folder::at(folder.path());
        let home = Home { root: folder.path().into(), dir, token: None };
        Rotation { secrets: Secrets::of(&home), role: "orders" }
    }

    /// A part that was started this many seconds from now.
    fn part(seconds: i64) -> PartState {
        let started = Utc::now() + TimeDelta::seconds(seconds);
        serde_json::from_value(json!({
            "name": "order-api", "instance_of": null, "ports": {}, "admin": null, "probe": { "file": "/x" },
            "stop": "term", "status": "ready", "process": null, "started_at": started, "ready_ms": null,
            "restarts": 0, "last_exit": null, "log": "x",
        }))
        .unwrap()
    }

    #[test]
    fn a_password_is_replaced_once_until_a_process_has_the_new_one_and_can_be_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let rotation = rotation(&folder);
        let now = || fs::read_to_string(rotation.secrets.path("postgres-orders")).unwrap();
        rotation.secrets.make("postgres-orders").unwrap();
        let first = now();
        assert!(rotation.at().unwrap().is_none());
        rotation.renew(&[part(-60)]).unwrap();
        let second = now();
        assert_ne!(first, second);
        rotation.renew(&[part(-60)]).unwrap();
        assert_eq!(now(), second, "the one before would be lost");
        rotation.take_back().unwrap();
        assert_eq!(now().trim(), first.trim());
        rotation.forget().unwrap();
        assert!(rotation.at().unwrap().is_none());

        rotation.renew(&[part(-60)]).unwrap();
        let third = now();
        rotation.renew(&[part(60)]).unwrap();
        assert_ne!(now(), third, "a process has the third one, and this is another rotation");
        rotation.take_back().unwrap();
        assert_eq!(now().trim(), third.trim());
    }
}
