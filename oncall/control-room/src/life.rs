//! The life of the control room: configuration, log, build, serve, drain.

use std::process::ExitCode;

use chassis_service::lifecycle;

use crate::{SERVICE, build, config::RoomConfig};

/// Runs until it is told to stop or has nothing left to do; returns the exit code of the process.
// One thread for the work, SQLite has its own: a person and a few hundred alerts a second are little.
#[tokio::main(flavor = "current_thread")]
pub async fn live() -> ExitCode {
    lifecycle::exit_code(run().await)
}

async fn run() -> anyhow::Result<()> {
    let config = RoomConfig::from_process();
    let chassis = config.common().chassis(SERVICE, &[], &[]);
    chassis_telemetry::init(&chassis)?;
    lifecycle::run(build(&config, chassis).await?).await
}
