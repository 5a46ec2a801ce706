//! The life of the notifier: configuration, telemetry, build, serve, drain, flush; or one redrive of what was given up.

use std::process::ExitCode;

use chassis_service::lifecycle;

use crate::{NotifierConfig, SERVICE, build, config::Command, faults, redrive};

/// Runs until it is told to stop or has nothing left to do; returns the exit code of the process.
#[tokio::main(worker_threads = 2)]
pub async fn live() -> ExitCode {
    lifecycle::exit_code(run().await)
}

async fn run() -> anyhow::Result<()> {
    let config = NotifierConfig::from_process();
    let chassis = config.common.checked_chassis(SERVICE, faults::CATALOGUE, faults::SUBJECT)?;
    let telemetry = chassis_otlp::init(&chassis)?;
    let ended = match config.command {
        Some(Command::Redrive { limit }) => {
            redrive(&config, &chassis, limit).await.map(|redriven| println!("{redriven}"))
        }
        None => lifecycle::run_built(build(&config, chassis)).await,
    };
    telemetry.shutdown();
    ended
}
