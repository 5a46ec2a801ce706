//! The life of order-api: configuration, telemetry, build, serve, drain, flush; or one redrive of dead letters.

use std::process::ExitCode;

use chassis::{Chassis, kafka::Command, lifecycle, telemetry};
use order_api::{OrderApiConfig, SERVICE, build, faults, redrive};

/// Requests allocate much and on several threads, which glibc's allocator pays for with a tenth of the CPU.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    lifecycle::exit_code(live().await)
}

async fn live() -> anyhow::Result<()> {
    let config = OrderApiConfig::from_process();
    let chassis = Chassis::for_process(SERVICE, config.common.clone(), faults::CATALOGUE)?;
    let telemetry = telemetry::init(&chassis)?;

    let ended = match config.command {
        Some(Command::Redrive { limit }) => {
            redrive(&config, &chassis, limit).await.map(|redriven| println!("{redriven}"))
        }
        None => match build(&config, chassis).await {
            Ok(app) => lifecycle::run(app).await,
            Err(error) => Err(error),
        },
    };

    telemetry.shutdown();
    ended
}
