//! The command line of `lab` and its help texts. No behaviour.

use clap::{Parser, Subcommand};

use crate::{commands, installation::Installation};

/// A flight simulator for on-call: brings up a small distributed system that is safe to break.
#[derive(Debug, Parser)]
#[command(name = "lab", version, propagate_version = true, max_term_width = 110)]
#[command(after_help = "First steps:\n  \
    lab up                                     start everything; Ctrl-C stops it\n  \
    lab break order-api http-error rate=0.2    break something\n  \
    lab pages --follow                         be paged\n  \
    lab alerts                                 see what fires\n  \
    lab fix                                    end all faults\n\n\
    `alerts`, `pages`, `slo`, `traces` and `logs` work against any installation:\n  \
    lab --context k8s alerts                   the lab on Kubernetes, through kubectl port-forward\n  \
    lab --prometheus http://host:9090 alerts   a Prometheus anywhere")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) installation: Installation,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the lab and keep it up.
    Up(Box<commands::up::Up>),
    /// Stop the lab.
    Down(commands::down::Down),
    /// Show the parts: readiness with reasons, process, ports, memory, restarts.
    Status(commands::status::Status),
    /// Open psql on a database of the lab, without typing a password.
    Psql(commands::clients::Psql),
    /// Open redis-cli on the lab's Redis, without typing a password.
    RedisCli(commands::clients::RedisCli),
    /// Read and follow the logs of all parts as one stream.
    Logs(commands::logs::Logs),
    /// Switch a fault on; it ends by itself.
    Break(commands::faults::Break),
    /// End faults.
    Fix(commands::faults::Fix),
    /// List the faults that a service can have, with their parameters.
    Faults(commands::faults::Faults),
    /// List the protections of a service, or switch one on or off.
    Protections(commands::protections::Protections),
    /// Kill parts of the lab repeatedly, and prove that no order is lost or doubled.
    Torture(commands::torture::Torture),
    /// List recent traces.
    Traces(commands::traces::Traces),
    /// Draw one trace as a waterfall.
    Trace(commands::traces::Trace),
    /// Show the alerts that are pending and firing, and what Alertmanager has.
    Alerts(commands::alerts::Alerts),
    /// Show what reached the pager of the person on call.
    Pages(commands::pages::Pages),
    /// Who is on call, and what the schedules ask of people.
    Oncall(commands::oncall::OncallCommand),
    /// Objectives: check, generate, report, simulate, explain, measure.
    Slo(commands::slo::SloCommand),
    /// Show the versions of lab and of the programs that it runs.
    Version(commands::version::Version),
}
