//! The life of the object store: configuration, log, build, serve, drain.

use std::process::ExitCode;

use chassis_service::lifecycle;
use lab_objects::{SERVICE, build, config::ObjectsConfig, faults};

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    lifecycle::exit_code(live().await)
}

async fn live() -> anyhow::Result<()> {
    let config = ObjectsConfig::from_process();
    let chassis = config.common().checked_chassis(SERVICE, faults::CATALOGUE, faults::SUBJECT)?;
    chassis_telemetry::init(&chassis)?;
    lifecycle::run(build(&config, chassis)?).await
}
