//! The life of a run: configuration, log, load until it is over or a signal comes, drain, summary.

use std::{io::Write, process::ExitCode};

use chassis_service::lifecycle;

use crate::{
    build, command,
    config::{LoadConfig, SERVICE},
    summary::Summary,
};

/// Runs until it is told to stop or has nothing left to do; returns the exit code of the process.
// One thread: a generator mostly waits, and leaves the rest of the machine to the system under load.
#[tokio::main(flavor = "current_thread")]
pub async fn live() -> ExitCode {
    if command::is_wanted(std::env::args_os()) {
        return command::live().await;
    }
    lifecycle::exit_code(run().await)
}

async fn run() -> anyhow::Result<()> {
    let config = LoadConfig::from_process();
    let chassis = config.common().chassis(SERVICE, &[], &[]);
    chassis_telemetry::init(&chassis)?;
    let (app, recorder) = build(&config, chassis)?;
    let life = if config.no_admin { lifecycle::run_without_ports(app) } else { lifecycle::run(app) };
    life.await?;
    print(&Summary::of(&recorder.measured()), config.json)
}

fn print(summary: &Summary, json: bool) -> anyhow::Result<()> {
    let text = if json { serde_json::to_string_pretty(summary)? } else { format!("\n{summary}") };
    // A closed stdout does not fail the run.
    let _ = writeln!(std::io::stdout(), "{text}");
    Ok(())
}
