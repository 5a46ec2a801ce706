//! The life of order-worker: configuration, telemetry, build, serve, drain, flush; or one redrive of dead letters.

use std::process::ExitCode;

use chassis_kafka::Command;
use chassis_service::lifecycle;
use order_worker::{OrderWorkerConfig, SERVICE, build, faults, redrive};

/// Requests allocate a lot and on several threads, which would cost a tenth of the CPU with glibc's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    lifecycle::exit_code(live().await)
}

async fn live() -> anyhow::Result<()> {
    let config = OrderWorkerConfig::from_process();
    let chassis = config.common.checked_chassis(SERVICE, faults::CATALOGUE, faults::SUBJECT)?;
    let telemetry = chassis_otlp::init(&chassis)?;

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
