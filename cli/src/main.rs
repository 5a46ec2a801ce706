//! `lab`: starts, watches, breaks and fixes a lab on one machine. Speaks to the services over HTTP only.

// Much of the output was written by others: `terminal` removes control characters.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod commands;
mod disk;
mod home;
mod installation;
mod parts;
mod progress;
mod secrets;
mod ship;
mod signals;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};

// One thread: the command mostly waits, and its memory counts towards the lab's.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    // `lab faults | head` ends quietly. Not `up` and `torture`: if they died of a closed pipe, they would leave
    // their children.
    if !matches!(cli.command, Command::Up(_) | Command::Torture(_)) {
        sigpipe::reset();
    }
    match run(cli).await {
        Ok(code) => code,
        Err(error) => {
            terminal::say(format_args!("lab: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let place = &cli.installation;
    match cli.command {
        Command::Break(order) => order.run(place).await,
        Command::Fix(fix) => fix.run(place).await,
        Command::Faults(faults) => faults.run(place).await,
        Command::Protections(protections) => protections.run(place).await,
        Command::Logs(logs) => logs.run(place).await,
        Command::Traces(traces) => traces.run(place).await,
        Command::Trace(trace) => trace.run(place).await,
        Command::Alerts(alerts) => alerts.run(place).await,
        Command::Pages(pages) => pages.run(place).await,
        Command::Oncall(oncall) => oncall.run(place),
        Command::Slo(slo) => slo.run(place).await,
        Command::Up(up) => up.run(&place.here("up")?).await,
        Command::Down(down) => down.run(&place.here("down")?).await,
        Command::Status(status) => status.run(&place.here("status")?).await,
        Command::Psql(psql) => psql.run(&place.here("psql")?),
        Command::RedisCli(cli) => cli.run(&place.here("redis-cli")?),
        Command::Torture(torture) => torture.run(&place.here("torture")?).await,
        Command::Version(version) => version.run(),
    }
}
