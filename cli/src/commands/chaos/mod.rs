//! `lab chaos …`: practice without a script. A monkey breaks at random inside an error budget; an experiment
//! states a hypothesis and finds out whether it holds. Both end everything that they began.

mod blow;
mod each;
mod engine;
mod experiment;
mod eyes;
mod generate;
mod keep;
mod library;
mod list;
mod monkey;
mod rule;
mod stop;
mod trial;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::installation::Installation;

/// Chaos practice on a lab that has load.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab chaos list\n  \
    lab chaos run slow-database                 a slow network: needs `lab up --chaos`\n  \
    lab --context k8s chaos run slow-database   the same by Chaos Mesh\n  \
    lab chaos run drills/experiments/cache-loss.yaml\n  \
    lab chaos pairs --write docs/drills         each protection, with it and without it\n  \
    lab chaos monkey --for 1h --budget 20% --seed 7\n\n\
    All about it: docs/chaos.md")]
pub(crate) struct ChaosCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Break something with a hypothesis, a blast radius and a condition to abort, and say whether the
    /// hypothesis holds.
    Run(experiment::Run),
    /// Show what each protection is worth: the same fault with it and without it, with both curves.
    Pairs(experiment::Pairs),
    /// Write what was measured of the pairs of automation into docs/automation.md.
    Generate(generate::Generate),
    /// List the experiments, and where each of them runs.
    List(list::List),
    /// End what experiments did from outside.
    Stop(stop::Stop),
    /// Kill and break at random, within an error budget.
    Monkey(monkey::Monkey),
    /// The process that `lab up --chaos` runs.
    #[command(hide = true)]
    Keep(keep::Keep),
}

impl ChaosCommand {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        match self.command {
            Command::Run(run) => run.run(place).await,
            Command::Pairs(pairs) => pairs.run(place).await,
            Command::Generate(generate) => generate.run(place),
            Command::List(list) => list.run(place),
            Command::Stop(stop) => stop.run(place).await,
            Command::Monkey(monkey) => monkey.run(place).await,
            Command::Keep(keep) => keep.run(place).await,
        }
    }
}
