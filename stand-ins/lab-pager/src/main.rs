//! The life of the pager: configuration, logs, a listener, a signal, the last responses.

use std::process::ExitCode;

use lab_pager::{config::PagerConfig, serve::Running};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

// One thread: even one notification per second is rare.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let config = chassis_core::config::parse::<PagerConfig>();
    log(&config);
    match run(&config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "cannot run");
            ExitCode::FAILURE
        }
    }
}

fn log(config: &PagerConfig) {
    let filter = EnvFilter::try_new(&config.log_level).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stdout);
    if config.log_format == "json" { lines.json().flatten_event(true).init() } else { lines.init() }
}

async fn run(config: &PagerConfig) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let running = Running::start(config).await?;
    tracing::info!(addr = %running.addr, keep = config.keep, "pager ready");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.stop().await;
    tracing::info!("pager stopped");
    Ok(())
}
