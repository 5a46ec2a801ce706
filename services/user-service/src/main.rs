//! The life of user-service: configuration, telemetry, build, serve, drain, flush.

use std::process::ExitCode;

use chassis_core::config;
use chassis_service::lifecycle;
use user_service::{SERVICE, UserServiceConfig, build, faults};

/// Requests allocate a lot and on several threads, which would cost a tenth of the CPU with glibc's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    lifecycle::exit_code(live().await)
}

async fn live() -> anyhow::Result<()> {
    let config = config::parse::<UserServiceConfig>().with_default_addresses();
    let chassis = config.common.checked_chassis(SERVICE, faults::CATALOGUE, faults::SUBJECT)?;
    let telemetry = chassis_otlp::init(&chassis)?;
    let outcome = match build(&config, chassis).await {
        Ok(app) => lifecycle::run(app).await,
        Err(error) => Err(error),
    };
    telemetry.shutdown();
    outcome
}
