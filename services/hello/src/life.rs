//! The life of hello: configuration, telemetry, build, serve, drain, flush.

use std::process::ExitCode;

use chassis_core::config;
use chassis_service::lifecycle;

use crate::{HelloConfig, SERVICE, build, faults};

/// Runs until it is told to stop; returns the exit code of the process.
#[tokio::main(worker_threads = 2)]
pub async fn live() -> ExitCode {
    lifecycle::exit_code(run().await)
}

async fn run() -> anyhow::Result<()> {
    let config = config::parse::<HelloConfig>().with_default_addresses();
    let chassis = config.common.checked_chassis(SERVICE, faults::CATALOGUE, faults::SUBJECT)?;
    let telemetry = chassis_otlp::init(&chassis)?;
    let ended = lifecycle::run(build(&config, chassis)).await;
    telemetry.shutdown();
    ended
}
