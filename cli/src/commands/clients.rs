//! `lab psql` and `lab redis-cli`: the stores' own clients, with the ports and the password of this lab.

use std::{
    ffi::OsString,
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};
use clap::Args;

use secrecy::ExposeSecret as _;

use crate::{
    home::Home,
    parts::{postgres, programs, stores},
    secrets::Secrets,
};

/// Connects as the role `lab`, which may read and change every database, and list and end every session. All
/// arguments are passed to psql.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab psql                                         a prompt in the database orders\n  \
    lab psql users -c 'select count(*) from users'\n  \
    lab psql orders -c 'select pg_terminate_backend(4711)'\n\n\
    For other clients, point PGPASSFILE at the password file: <lab>/secrets/pgpass")]
pub(crate) struct Psql {
    /// Database: orders, users or fulfillment.
    #[arg(default_value = "orders")]
    database: String,
    /// Arguments for psql.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

impl Psql {
    /// Replaces this process with psql.
    ///
    /// # Errors
    /// When no lab runs, or psql is not installed.
    pub(crate) fn run(self, home: &Home) -> Result<ExitCode> {
        let mut command = psql(home, &self.database)?;
        Err(command.args(self.arguments).exec()).context("cannot run psql")
    }
}

/// psql on a database, as the lab's owner.
///
/// # Errors
/// When no lab runs, or psql is not installed.
pub(crate) fn psql(home: &Home, database: &str) -> Result<Command> {
    let port = home.lab()?.port("postgres").context("postgres does not run")?;
    let packaged = || programs::postgres_folder().ok().map(|folder| folder.join("psql"));
    let psql = programs::find(&["psql"]).or_else(|| packaged().filter(|psql| psql.is_file()));
    let mut command = Command::new(psql.context("psql is not installed")?);
    command
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", port.to_string())
        .env("PGUSER", postgres::OWNER)
        .env("PGDATABASE", database)
        .env("PGPASSFILE", Secrets::of(home).path(postgres::PASS_FILE));
    // Settings that the caller made for another server.
    for name in ["PGPASSWORD", "PGHOSTADDR", "PGSERVICE", "PGSSLMODE"] {
        command.env_remove(name);
    }
    Ok(command)
}

/// Connects as the account `lab`, which may do everything that stays inside the server. All arguments are passed to
/// redis-cli.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab redis-cli info clients\n  \
    lab redis-cli slowlog get 5\n  \
    lab redis-cli monitor")]
pub(crate) struct RedisCli {
    /// Arguments for redis-cli.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    arguments: Vec<OsString>,
}

impl RedisCli {
    /// Replaces this process with redis-cli.
    ///
    /// # Errors
    /// When no lab runs, or redis-cli is not installed.
    pub(crate) fn run(self, home: &Home) -> Result<ExitCode> {
        let port = home.lab()?.port("redis").context("redis does not run")?;
        let program = programs::need(&["redis-cli", "valkey-cli"], "redis-cli")?;
        let password = Secrets::of(home).read(stores::REDIS_OWNER)?;
        let mut command = Command::new(program);
        command
            .args(["-h", "127.0.0.1", "-p", &port.to_string(), "--user", "lab", "--no-auth-warning"])
            .env("REDISCLI_AUTH", password.expose_secret());
        Err(command.args(self.arguments).exec()).context("cannot run redis-cli")
    }
}
