//! The life of the pager: configuration, log, build, serve, drain.

use std::process::ExitCode;

use chassis_service::lifecycle;
use lab_pager::{SERVICE, build, config::PagerConfig};

// One thread: even one notification per second is rare.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lifecycle::exit_code(live().await)
}

async fn live() -> anyhow::Result<()> {
    let config = PagerConfig::from_process();
    let chassis = config.common().chassis(SERVICE, &[], &[]);
    chassis_telemetry::init(&chassis)?;
    lifecycle::run(build(&config, chassis)).await
}
