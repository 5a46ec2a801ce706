//! `lab runbook …`: what the control room's runbook pages do, from a terminal. Thin: each verb is one call of its API. `run` guides a
//! person through the steps; `verify` proves runbooks against a lab, and `generate` writes what that has measured into its page.

mod act;
mod generate;
mod guide;
mod print;
mod read;
mod run;
mod verify;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use observe::ControlRoom;

use crate::installation::Installation;

/// Longest name of a runbook.
const LONGEST: usize = 100;

/// Runbooks that run: guided, approved or automatic. The control room's pages do the same.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab runbook list\n  \
    lab runbook dry DatabasePoolSaturated service=order-api database=orders\n  \
    lab runbook run ConsumerLagGrowing --incident INC-7        step by step: y, skip or stop\n  \
    lab runbook run DeadLetters service=order-worker --mode ask\n  \
    lab runbook approve RUN-3 --as ben                         a second person approves what is shown\n  \
    lab runbook status RUN-3\n  \
    lab runbook verify DatabasePoolSaturated                   break the lab, and prove that it helps\n\n\
    Modes, guardrails, what is measured: docs/automation.md")]
pub(crate) struct RunbookCommand {
    /// Who acts, such as ada; by default the name that the control room has for you.
    #[arg(long = "as", id = "as", global = true, env = "LAB_PERSON", value_name = "NAME")]
    who: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the runbooks that run.
    List(read::List),
    /// Show a runbook: its parameters and its steps.
    Show(read::Show),
    /// Show what it would ask and do now, and what the guardrails say. Changes nothing.
    Dry(read::Dry),
    /// Run it: step by step, or by itself.
    Run(run::Start),
    /// Show the last runs, or one of them.
    Status(read::Status),
    /// Do the next step of a guided run, or choose one of its branches.
    Confirm(act::Confirm),
    /// Skip the next step of a guided run.
    Skip(act::Worded),
    /// Approve, as a second person, what a run may change.
    Approve(act::Approve),
    /// Refuse to approve it; the run ends.
    Decline(act::Worded),
    /// End a run at once. Nothing is undone.
    Stop(act::Worded),
    /// Break the lab, wait for the alert, run the runbook, and prove that the alert ends and nothing is left behind.
    Verify(verify::Verify),
    /// Write what was measured of runbooks into docs/automation.md.
    Generate(generate::Generate),
}

impl RunbookCommand {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        match self.command {
            // It sets faults and reads the checkout.
            Command::Verify(verify) => verify.run(&place.all_here("runbook verify")?, place).await,
            Command::Generate(generate) => generate.run(&place.home()?),
            command => {
                let room = place.control_room().await?.map(|room| room.acting_as(self.who));
                command.run(&room).await
            }
        }
    }
}

impl Command {
    async fn run(self, room: &ControlRoom) -> Result<ExitCode> {
        match self {
            Self::List(list) => list.run(room).await?,
            Self::Show(show) => show.run(room).await?,
            Self::Dry(dry) => return dry.run(room).await,
            Self::Run(start) => return start.run(room).await,
            Self::Status(status) => status.run(room).await?,
            Self::Confirm(confirm) => confirm.run(room).await?,
            Self::Skip(words) => words.run(room, "skip").await?,
            Self::Approve(approve) => return approve.run(room).await,
            Self::Decline(words) => words.run(room, "decline").await?,
            Self::Stop(words) => words.run(room, "stop").await?,
            // They have been run already.
            Self::Verify(_) | Self::Generate(_) => {}
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Reads the name of a runbook, which becomes a part of an address.
fn runbook(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if (1..=LONGEST).contains(&text.len()) && text.chars().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("expected a runbook such as DeadLetters; `lab runbook list` has them".to_owned())
    }
}

/// Reads `NAME=VALUE`.
fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE, such as service=order-api".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_parts_of_addresses_and_nothing_else_does() {
        assert_eq!(runbook("DeadLetters"), Ok("DeadLetters".to_owned()));
        assert_eq!(runbook("hand-over"), Ok("hand-over".to_owned()));
        for wrong in ["", "../x", "a/b", "a b"] {
            assert!(runbook(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parameter("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(parameter("=b").is_err() && parameter("a").is_err());
    }
}
