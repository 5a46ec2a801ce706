//! The life of the trace store: configuration, log, build, serve, drain.

use std::process::ExitCode;

use chassis_service::lifecycle;
use lab_traces::{SERVICE, build, config::TracesConfig};

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    lifecycle::exit_code(live().await)
}

async fn live() -> anyhow::Result<()> {
    let config = TracesConfig::from_process();
    let chassis = config.common().chassis(SERVICE, &[], &[]);
    chassis_telemetry::init(&chassis)?;
    lifecycle::run(build(&config, chassis)).await
}
