//! The life of the broker: configuration, log, build, serve, stop.

use std::process::ExitCode;

use chassis_service::lifecycle;
use lab_kafka::{SERVICE, build, config::KafkaConfig};

// One thread is enough for bootstrap traffic; the cluster has its own threads.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lifecycle::exit_code(live().await)
}

async fn live() -> anyhow::Result<()> {
    let config = KafkaConfig::from_process();
    let chassis = config.common().chassis(SERVICE, &[], &[]);
    chassis_telemetry::init(&chassis)?;
    lifecycle::run(build(&config, chassis).await?).await
}
