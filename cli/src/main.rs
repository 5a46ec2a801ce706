//! `lab`: starts, watches, breaks and mends the lab on one machine. Speaks to the services over HTTP only.

// What is printed was often written by somebody else: `terminal` makes it harmless.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod cluster;
mod commands;
mod disk;
mod home;
mod http;
mod parts;
mod progress;
mod secrets;
mod ship;
mod signals;
mod terminal;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    args::{Cli, Command},
    cluster::Cluster,
    home::Home,
};

// One thread: the command waits most of the time, and its memory counts into the lab's.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    // `lab faults | head` ends quietly. Not `up` and `torture`: who dies of a closed pipe leaves its children.
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
    let home = Home::find(cli.root.as_deref(), cli.dir.as_deref())?;
    let home = Home { token: cli.faults_token.filter(|token| !token.is_empty()), ..home };
    let cluster = cli.context.map(|context| Cluster {
        context: Some(context).filter(|context| context != "k8s"),
        namespace: cli.namespace,
        pod: cli.pod,
    });
    let cluster = cluster.as_ref();
    match cli.command {
        Command::Break(order) => order.run(&home, cluster).await,
        Command::Fix(fix) => fix.run(&home, cluster).await,
        Command::Faults(faults) => faults.run(&home, cluster).await,
        Command::Protections(protections) => protections.run(&home, cluster).await,
        _ if cluster.is_some() => anyhow::bail!(
            "with --context there are break, fix, faults and protections; for the rest, deploy/deploy forward brings \
             the cluster's ports to this machine"
        ),
        Command::Up(up) => up.run(&home).await,
        Command::Down(down) => down.run(&home).await,
        Command::Status(status) => status.run(&home).await,
        Command::Psql(psql) => psql.run(&home),
        Command::RedisCli(cli) => cli.run(&home),
        Command::Logs(logs) => logs.run(&home).await,
        Command::Traces(traces) => traces.run(&home).await,
        Command::Trace(trace) => trace.run(&home).await,
        Command::Alerts(alerts) => alerts.run(&home).await,
        Command::Pages(pages) => pages.run(&home).await,
        Command::Slo(slo) => slo.run(&home).await,
        Command::Torture(torture) => torture.run(&home).await,
        Command::Version(version) => version.run(),
    }
}
