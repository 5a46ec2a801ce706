//! `lab drill …`: practise on a system that is really broken. Thin: the control room runs the drills and
//! decides what a responder may know; this command asks, shows, and, for `verify` and `validity`, judges what
//! came back.

pub(crate) mod card;
pub(crate) mod client;
pub(crate) mod files;
mod generate;
mod hands;
pub(crate) mod live;
mod read;
mod respond;
mod start;
pub(crate) mod text;
mod validity;
pub(crate) mod verify;
pub(crate) mod view;

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};

use self::client::Desk;
use super::{drill_bench, faults::pods_back};
use crate::{installation::Installation, terminal::say};

/// Drills: failures to practise on, timed and scored. A responder sees only what production would show.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab drill list\n  \
    lab drill start first-page --follow --as ada\n  \
    lab drill hint\n  \
    lab drill act rollback order-api-1-8\n  \
    lab drill answer --component order-api --mechanism bad-release --change order-api-1-8\n  \
    lab drill submit\n  \
    lab drill report\n  \
    lab drill verify --all --junit drills.xml    prove that every drill is what it says\n\n\
    How drills are made, proven and scored: docs/drills.md")]
pub(crate) struct DrillCommand {
    /// Who acts, such as ada; by default the name that the control room has for you.
    #[arg(long = "as", id = "as", global = true, env = "LAB_PERSON", value_name = "NAME")]
    who: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Plain(Plain),
    /// Begin a drill.
    Start(Box<start::Start>),
    /// Prove drills: inject, see what they promise, solve, recover, reset. For instructors.
    Verify(Box<verify::Verify>),
    /// Test the proofs: that doing nothing fails, and that a broken alert is noticed. For instructors.
    Validity(Box<validity::Validity>),
    /// Let a program respond to drills, several times, and say how it did.
    Bench(Box<drill_bench::Bench>),
    /// Write a drill as a task for other tools.
    Export(drill_bench::Export),
    /// Write what was found about drills and responders into the docs.
    Generate(generate::Generate),
}

/// What is one call, or a few.
#[derive(Debug, Subcommand)]
enum Plain {
    /// List the drills, with your best scores.
    List(read::List),
    /// Show a drill: what you are told, what will be asked, earlier runs.
    Show(read::Show),
    /// Show the phase of the current run, and the time left.
    Status(read::Status),
    /// Report that something is wrong, before a page fires.
    Notice(respond::Plain),
    /// Take the next hint; it costs points.
    Hint(respond::Plain),
    /// Change the system: roll back, restart, switch a protection, …
    Act(hands::Act),
    /// Submit the cause.
    Answer(Box<respond::Answer>),
    /// Tell others what is known.
    Update(respond::Words),
    /// Report that the problem is over.
    Submit(respond::Plain),
    /// Stop the drill, and put everything back as it was.
    Abort(respond::Abort),
    /// Print the report of a run.
    Report(read::Report),
    /// Write down what you learned, as the last part of the report.
    Learned(respond::Learned),
}

impl DrillCommand {
    /// Runs the command.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let Self { who, command } = self;
        let (resets, leaves) = (command.resets(), command.leaves());
        let ended = match command {
            Command::Plain(plain) => {
                plain.run(&Desk::of(place, who).await?).await.map(|()| ExitCode::SUCCESS)
            }
            Command::Start(start) => start.run(place, who).await,
            Command::Verify(verify) => verify.run(place, who).await,
            Command::Validity(validity) => validity.run(place, who).await,
            Command::Bench(bench) => bench.run(place).await,
            Command::Export(export) => export.run(&place.home()?),
            Command::Generate(generate) => generate.run(&place.home()?),
        };
        if resets {
            // Whatever came before it, as for all that the control room resets.
            let left = pods_back(place).await;
            let (code, left) = (ended?, left?);
            if !left.is_empty() {
                bail!("not every drained pod is back: `lab fix` tries again\n  {}", left.join("\n  "));
            }
            return Ok(code);
        }
        if leaves && ended.is_ok() && place.in_cluster() {
            say("a pod that was drained stays out until you run `lab fix`, once the reset is over");
        }
        ended
    }
}

impl Command {
    /// Whether a run has been reset when it ends.
    fn resets(&self) -> bool {
        match self {
            Self::Start(start) => start.stays(),
            Self::Plain(plain) => matches!(plain, Plain::Abort(abort) if abort.waits()),
            Self::Verify(_) | Self::Validity(_) => true,
            Self::Bench(_) | Self::Export(_) | Self::Generate(_) => false,
        }
    }

    /// Whether it ends while a run is being reset: whatever is put back before that may be drained again.
    fn leaves(&self) -> bool {
        matches!(self, Self::Plain(Plain::Abort(abort)) if !abort.waits())
    }
}

impl Plain {
    async fn run(self, desk: &Desk) -> Result<()> {
        match self {
            Self::List(list) => list.run(desk).await,
            Self::Show(show) => show.run(desk).await,
            Self::Status(status) => status.run(desk).await,
            Self::Notice(plain) => plain.notice(desk).await,
            Self::Hint(plain) => plain.hint(desk).await,
            Self::Submit(plain) => plain.submit(desk).await,
            Self::Act(act) => act.run(desk).await,
            Self::Answer(answer) => answer.run(desk).await,
            Self::Update(words) => words.update(desk).await,
            Self::Abort(abort) => abort.run(desk).await,
            Self::Report(report) => report.run(desk).await,
            Self::Learned(learned) => learned.run(desk).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        drill: DrillCommand,
    }

    #[test]
    fn pods_are_put_back_only_after_a_reset_that_was_waited_for() {
        for (line, resets, leaves) in [
            ("drill abort", true, false),
            ("drill abort --no-wait", false, true),
            ("drill start noon --follow", true, false),
            ("drill start noon", false, false),
            ("drill status", false, false),
        ] {
            let command = Line::parse_from(line.split(' ')).drill.command;
            assert_eq!((command.resets(), command.leaves()), (resets, leaves), "{line}");
        }
    }
}
