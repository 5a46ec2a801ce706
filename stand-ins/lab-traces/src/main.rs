//! The life of the trace store: configuration, logs, listeners, a signal, the last responses.

use std::process::ExitCode;

use lab_traces::{config::TracesConfig, serve::Running};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[tokio::main(worker_threads = 2)]
async fn main() -> ExitCode {
    let config = chassis_core::config::parse::<TracesConfig>();
    log(&config);
    match run(&config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "cannot run");
            ExitCode::FAILURE
        }
    }
}

fn log(config: &TracesConfig) {
    let filter = EnvFilter::try_new(&config.log_level).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stdout);
    if config.log_format == "json" { lines.json().flatten_event(true).init() } else { lines.init() }
}

async fn run(config: &TracesConfig) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let running = Running::start(config).await?;
    tracing::info!(
        otlp_http = %running.otlp_http, otlp_grpc = %running.otlp_grpc,
        ui = %running.query, admin = %running.admin, memory = config.memory,
        "trace store ready"
    );
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.stop().await;
    tracing::info!("trace store stopped");
    Ok(())
}
