//! Migrations at start-up: waits for the server, and lets replicas that start together take turns.

use std::time::Duration;

use anyhow::Context as _;
use futures::future::BoxFuture;
use sqlx::{
    Connection as _, PgConnection,
    migrate::{MigrateError, Migrator},
    postgres::PgConnectOptions,
};
use tokio::time::{Instant, sleep, timeout_at};

use super::{Database, ErrorKind};

/// How long a service waits at start-up for its database.
const START_UP: Duration = Duration::from_secs(60);
/// First and longest pause between attempts.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

impl Database {
    /// Applies embedded migrations, waiting for the server with back-off until the start-up deadline (60 s).
    ///
    /// Safe when replicas start together: sqlx holds an advisory lock while it migrates.
    ///
    /// # Errors
    /// When the server stays away or a migration fails.
    pub fn migrate<'a>(&'a self, migrator: &'a Migrator) -> BoxFuture<'a, anyhow::Result<()>> {
        // Boxed: rustc makes the code of an async function in each crate that awaits it.
        Box::pin(self.bring_up_to_date(migrator))
    }

    async fn bring_up_to_date(&self, migrator: &Migrator) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_UP;
        let mut pause = BACK_OFF.0;
        loop {
            match timeout_at(deadline, apply(&self.inner.options, migrator)).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) if is_passing(&error) && Instant::now() + pause < deadline => {
                    tracing::info!(error = %error, "waiting for the database");
                    sleep(pause).await;
                    pause = (pause * 2).min(BACK_OFF.1);
                }
                Ok(Err(error)) => {
                    return Err(error).context("the database schema could not be brought up to date");
                }
                Err(_) => anyhow::bail!("the database did not answer within {START_UP:?} of the start"),
            }
        }
    }
}

/// On its own connection: waiting for another replica's migration, or a long one, must not hit the statement timeout
/// for requests, and a failure halfway releases the advisory lock with the connection.
async fn apply(options: &PgConnectOptions, migrator: &Migrator) -> Result<(), MigrateError> {
    let options = options.clone().options([("statement_timeout", "0")]);
    let mut conn = PgConnection::connect_with(&options).await?;
    migrator.run_direct(None, &mut conn, false).await?;
    conn.close().await?;
    Ok(())
}

/// Whether the server may still come up, as opposed to a migration that can never succeed.
fn is_passing(error: &MigrateError) -> bool {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            matches!(
                ErrorKind::of(error),
                ErrorKind::Unavailable | ErrorKind::Conflict | ErrorKind::PoolTimeout
            )
        }
        _ => false,
    }
}
