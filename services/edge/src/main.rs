//! The life of the edge: configuration, telemetry, build, serve, drain, flush; or one check of its files.

use std::process::ExitCode;

use chassis_service::lifecycle;
use edge::{Command, EdgeConfig, SERVICE, build, check, faults};

/// Requests allocate a lot and on several threads, which would cost a tenth of the CPU with glibc's
/// allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    lifecycle::exit_code(live().await)
}

async fn live() -> anyhow::Result<()> {
    let config = EdgeConfig::from_process();
    if config.command == Some(Command::Check) {
        println!("{}", check(&config)?);
        return Ok(());
    }
    let chassis = config.common.checked_chassis(SERVICE, faults::CATALOGUE, faults::SUBJECT)?;
    let telemetry = chassis_otlp::init(&chassis)?;

    let ended = match build(&config, chassis) {
        Ok(app) => lifecycle::run(app).await,
        Err(error) => Err(error),
    };

    telemetry.shutdown();
    ended
}
