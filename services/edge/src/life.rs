//! The life of the edge: configuration, telemetry, build, serve, drain, flush; or one check of its files.

use std::process::ExitCode;

use chassis_service::lifecycle;

use crate::{Command, EdgeConfig, SERVICE, build, check, faults};

/// Runs until it is told to stop or has nothing left to do; returns the exit code of the process.
#[tokio::main]
pub async fn live() -> ExitCode {
    lifecycle::exit_code(run().await)
}

async fn run() -> anyhow::Result<()> {
    let config = EdgeConfig::from_process();
    if config.command == Some(Command::Check) {
        println!("{}", check(&config)?);
        return Ok(());
    }
    let chassis = config.common.checked_chassis(SERVICE, faults::CATALOGUE, faults::SUBJECT)?;
    let telemetry = chassis_otlp::init(&chassis)?;
    let ended = lifecycle::run_built(build(&config, chassis)).await;
    telemetry.shutdown();
    ended
}
