//! A streaming replica of the private PostgreSQL: its own data folder and port, a slot on the primary, and a role that can
//! copy the server and nothing else. `crate::failover` says how it becomes the primary.

use std::path::PathBuf;

use anyhow::Result;
use supervisor::{
    Part,
    part::{Preparation, Step, StopSignal},
    probe::Probe,
};

use super::{
    SETTINGS,
    access::{self, REPLICA_ROLE},
    base,
    runner::Runner,
    text,
};
use crate::{failover, home::Home, parts::programs, secrets::Secrets};

/// Name of the part, its port, and its service.
pub(crate) const REPLICA: &str = "postgres-replica";

/// What a commit waits for before it is confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Confirm {
    /// A commit waits for the primary's disk alone: a failover may lose the last moments.
    Async,
    /// A commit waits for the replica's disk too: a failover loses nothing, but no commit ends without the replica.
    Sync,
}

impl Confirm {
    /// As on the command line.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Async => "async",
            Self::Sync => "sync",
        }
    }
}

/// The setting of a primary.
pub(super) fn waits_for(confirm: Option<Confirm>) -> String {
    let name = if confirm == Some(Confirm::Sync) { REPLICA_ROLE } else { "" };
    format!("synchronous_standby_names={name}")
}

/// Settings of the replica, besides those of every server.
const OWN: &[&str] = &[
    "hot_standby=on",
    // The primary knows within a second how far it is.
    "wal_receiver_status_interval=1s",
    // How soon it looks for the primary again after that restarted.
    "wal_retrieve_retry_interval=500ms",
];

/// The part; it is built from the primary at its first start.
///
/// # Errors
/// When PostgreSQL is not installed, or no user can run it.
pub(crate) fn replica(home: &Home, port: u16, primary: u16) -> Result<Part> {
    let bin = programs::postgres_folder()?;
    let runner = Runner::choose()?;
    let base = base(home, &runner)?;
    let pass_file = pass_file(home)?;
    let data = base.join(failover::REPLICA_FOLDER);
    // The same file for both servers: the promoted one has the same clients.
    let hba = format!("hba_file={}", base.join("pg_hba.conf").display());
    let source = format!("primary_conninfo={}", source(primary, &text(&pass_file)));
    let server = runner.line(&bin.join("postgres"), &base);
    let server = server.args(["-D", &text(&data), "-p", &port.to_string(), "-c", &hba, "-c", &source]);
    let server = server.args(["-c", &format!("primary_slot_name={REPLICA_ROLE}")]);
    let server = server.args(SETTINGS.iter().chain(OWN).flat_map(|setting| ["-c", setting]));
    let mut part = Part::new(REPLICA, server, Probe::Postgres(port)).port(REPLICA, port).after(&["postgres"]);
    let build = failover::build_errand(home)?;
    part.prepare =
        vec![Preparation { unless: data, steps: vec![Step::Run(build.line.clone(), String::new())] }];
    part.stop = StopSignal::Int;
    part.errand = Some(build);
    Ok(part)
}

/// The file with the password of the replica's role, for the user who runs servers.
///
/// # Errors
/// When it cannot be written, or given to that user.
pub(crate) fn pass_file(home: &Home) -> Result<PathBuf> {
    let runner = Runner::choose()?;
    let base = base(home, &runner)?;
    let file = access::replica_pass_file(&Secrets::of(home), &base)?;
    runner.own(&file)?;
    Ok(file)
}

/// How the replica reaches the primary, without a secret: everyone can read a command line.
fn source(port: u16, pass_file: &str) -> String {
    let pass_file = pass_file.replace('\\', r"\\").replace('\'', r"\'");
    format!(
        "host=127.0.0.1 port={port} user={REPLICA_ROLE} application_name={REPLICA_ROLE} passfile='{pass_file}'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_has_no_secret_and_a_path_with_quotes_stays_one_value() {
        assert_eq!(
            source(5432, r"/home/o'neil\s/pgpass"),
            r"host=127.0.0.1 port=5432 user=replica application_name=replica passfile='/home/o\'neil\\s/pgpass'"
        );
    }

    #[test]
    fn a_primary_waits_for_the_replica_only_if_asked_to() {
        assert_eq!(waits_for(Some(Confirm::Sync)), "synchronous_standby_names=replica");
        assert_eq!(waits_for(Some(Confirm::Async)), "synchronous_standby_names=");
        assert_eq!(waits_for(None), "synchronous_standby_names=");
    }
}
