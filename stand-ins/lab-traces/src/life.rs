//! The life of the trace store: configuration, log, build, serve, drain.

use std::process::ExitCode;

use chassis_service::lifecycle;

use crate::{SERVICE, build, config::TracesConfig};

/// Runs until it is told to stop or has nothing left to do; returns the exit code of the process.
#[tokio::main(worker_threads = 2)]
pub async fn live() -> ExitCode {
    lifecycle::exit_code(run().await)
}

async fn run() -> anyhow::Result<()> {
    let config = TracesConfig::from_process();
    let chassis = config.common().chassis(SERVICE, &[], &[]);
    chassis_telemetry::init(&chassis)?;
    lifecycle::run(build(&config, chassis)).await
}
