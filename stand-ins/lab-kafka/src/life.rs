//! The life of the broker: configuration, log, build, serve, stop.

use std::process::ExitCode;

use chassis_service::lifecycle;

use crate::{SERVICE, build, config::KafkaConfig};

/// Runs until it is told to stop or has nothing left to do; returns the exit code of the process.
// One thread is enough for bootstrap traffic; the cluster has its own threads.
#[tokio::main(flavor = "current_thread")]
pub async fn live() -> ExitCode {
    lifecycle::exit_code(run().await)
}

async fn run() -> anyhow::Result<()> {
    let config = KafkaConfig::from_process();
    let chassis = config.common().chassis(SERVICE, &[], &[]);
    chassis_telemetry::init(&chassis)?;
    lifecycle::run(build(&config, chassis).await?).await
}
