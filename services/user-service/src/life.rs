//! The life of user-service: configuration, telemetry, build, serve, drain, flush.

use std::process::ExitCode;

use chassis_core::config;
use chassis_service::lifecycle;

use crate::{SERVICE, UserServiceConfig, build, faults};

/// Runs until it is told to stop or has nothing left to do; returns the exit code of the process.
#[tokio::main]
pub async fn live() -> ExitCode {
    lifecycle::exit_code(run().await)
}

async fn run() -> anyhow::Result<()> {
    let config = config::parse::<UserServiceConfig>().with_default_addresses();
    let chassis = config.common.checked_chassis(SERVICE, faults::CATALOGUE, faults::SUBJECT)?;
    let telemetry = chassis_otlp::init(&chassis)?;
    let ended = lifecycle::run_built(build(&config, chassis).await).await;
    telemetry.shutdown();
    ended
}
