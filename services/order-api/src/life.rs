//! The life of order-api: configuration, telemetry, build, serve, drain, flush; or one redrive of dead letters.

use std::process::ExitCode;

use chassis_kafka::Command;
use chassis_service::lifecycle;

use crate::{OrderApiConfig, SERVICE, build, faults, redrive};

/// Runs until it is told to stop or has nothing left to do; returns the exit code of the process.
#[tokio::main]
pub async fn live() -> ExitCode {
    lifecycle::exit_code(run().await)
}

async fn run() -> anyhow::Result<()> {
    let config = OrderApiConfig::from_process();
    let chassis = config.common.checked_chassis(SERVICE, faults::CATALOGUE, faults::SUBJECT)?;
    let telemetry = chassis_otlp::init(&chassis)?;

    let ended = match config.command {
        Some(Command::Redrive { limit }) => {
            redrive(&config, &chassis, limit).await.map(|redriven| println!("{redriven}"))
        }
        None => lifecycle::run_built(build(&config, chassis).await).await,
    };

    telemetry.shutdown();
    ended
}
