//! `lab`: starts, watches, breaks and fixes a lab on one machine. Speaks to the services over HTTP only.

// Much of the output was written by others: `terminal` removes control characters.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod backup;
mod commands;
mod desired;
mod disk;
#[cfg(test)]
mod documented;
mod failover;
mod fleet;
mod home;
mod installation;
mod outside;
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
    // their children. Nor `backup`: a program that it feeds may end early, and it has to say why. Nor `failover`, which
    // must not end between two steps.
    if !matches!(
        cli.command,
        Command::Up(_) | Command::Torture(_) | Command::Backup(_) | Command::Failover(_)
    ) {
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
        Command::Waf(waf) => waf.run(place).await,
        Command::Logs(logs) => logs.run(place).await,
        Command::Traces(traces) => traces.run(place).await,
        Command::Trace(trace) => trace.run(place).await,
        Command::Alerts(alerts) => alerts.run(place).await,
        Command::Pages(pages) => pages.run(place).await,
        Command::Incident(incident) => incident.run(place).await,
        Command::Runbook(runbook) => runbook.run(place).await,
        Command::Automation(automation) => automation.run(place).await,
        Command::Audit(audit) => audit.run(place).await,
        Command::Prr(review) => review.run(place),
        Command::Toil(toil) => toil.run(place).await,
        Command::Drill(drill) => drill.run(place).await,
        Command::Gameday(day) => day.run(place).await,
        Command::Chaos(chaos) => chaos.run(place).await,
        Command::Node(node) => node.run(place).await,
        Command::Gitops(gitops) => gitops.run(place).await,
        Command::Release(release) => release.run(place).await,
        Command::Oncall(oncall) => oncall.run(place),
        Command::Slo(slo) => slo.run(place).await,
        Command::Up(up) => up.run(&place.here("up")?).await,
        Command::Down(down) => down.run(&place.here("down")?).await,
        Command::Status(status) => status.run(&place.here("status")?).await,
        Command::Psql(psql) => psql.run(&place.here("psql")?),
        Command::Rotate(rotate) => rotate.run(&place.here("rotate")?),
        Command::RedisCli(cli) => cli.run(&place.here("redis-cli")?),
        Command::Backup(backup) => backup.run(&place.here("backup")?).await,
        Command::Failover(failover) => failover.run(&place.here("failover")?).await,
        Command::Torture(torture) => torture.run(&place.here("torture")?).await,
        Command::Version(version) => version.run(),
    }
}
