//! The life of the control room: configuration, log, build, serve, drain.

use std::process::ExitCode;

use chassis_service::lifecycle;
use control_room::{SERVICE, build, config::RoomConfig};

// Gives memory back after a storm of alerts; the system's allocator keeps it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

// One thread for the work, SQLite has its own: a person and a few hundred alerts a second are little.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    lifecycle::exit_code(live().await)
}

async fn live() -> anyhow::Result<()> {
    let config = RoomConfig::from_process();
    let chassis = config.common().chassis(SERVICE, &[], &[]);
    chassis_telemetry::init(&chassis)?;
    lifecycle::run(build(&config, chassis).await?).await
}
