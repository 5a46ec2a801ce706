//! `lab chaos …`: practice without a script. A monkey breaks at random inside an error budget; an experiment
//! states a hypothesis and finds out whether it holds. Both end everything that they began.

mod blow;
mod experiment;
mod eyes;
mod monkey;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::installation::Installation;

/// Chaos practice on a lab that has load.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab chaos run drills/experiments/cache-loss.yaml\n  \
    lab chaos monkey --for 1h --budget 20% --seed 7\n\n\
    How to write an experiment: docs/drills.md")]
pub(crate) struct ChaosCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Break something with a hypothesis, a blast radius and a condition to abort, and say whether the
    /// hypothesis holds.
    Run(experiment::Run),
    /// Kill and break at random, inside an error budget.
    Monkey(monkey::Monkey),
}

impl ChaosCommand {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        match self.command {
            Command::Run(run) => run.run(place).await,
            Command::Monkey(monkey) => monkey.run(place).await,
        }
    }
}
