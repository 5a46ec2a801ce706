//! The life of the control room: configuration, log, build, serve, drain.

use std::{process::ExitCode, thread};

use anyhow::Context as _;
use chassis_service::{App, Chassis, lifecycle};
use tokio::{runtime::Handle, sync::oneshot};

use crate::{SERVICE, build, config::RoomConfig};

/// Runs until it is told to stop or has nothing left to do; returns the exit code of the process.
// One thread for the work, SQLite has its own: a person and a few hundred alerts a second are little.
#[tokio::main(flavor = "current_thread")]
pub async fn live() -> ExitCode {
    lifecycle::exit_code(run().await)
}

async fn run() -> anyhow::Result<()> {
    let config = RoomConfig::from_process();
    let chassis = config.common().chassis(SERVICE, &[], &[]);
    chassis_telemetry::init(&chassis)?;
    lifecycle::run(built(config, chassis).await?).await
}

/// As large as that of the main thread.
const STACK: usize = 8 << 20;

/// Builds on a stack of its own, which ends with its thread: building needs half a MiB of it, which the main thread would keep.
async fn built(config: RoomConfig, chassis: Chassis) -> anyhow::Result<App> {
    let (done, app) = oneshot::channel();
    let runtime = Handle::current();
    let thread = thread::Builder::new().name("start".to_owned()).stack_size(STACK);
    thread.spawn(move || {
        // Fails only if nobody waits any more.
        let _ = done.send(runtime.block_on(build(&config, chassis)));
    })?;
    app.await.context("the start panicked")?
}
