//! `lab drill verify`: runs drills one after the other, as proofs, and judges what came back.

mod again;
mod alone;
pub(in crate::commands::drill) mod health;
mod junit;
pub(in crate::commands) mod kit;
mod lane;
pub(in crate::commands::drill) mod lanes;
pub(crate) mod laps;
mod measured;
mod papers;
pub(crate) mod pick;
pub(crate) mod proof;
pub(in crate::commands::drill) mod queue;
pub(crate) mod run;
mod variants;

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Result;
use clap::Args;

use self::{
    kit::Stock,
    pick::Pick,
    proof::Proof,
    run::{Responder, Wishes},
};
use super::{client::Desk, files, live::Live};
use crate::{
    installation::Installation,
    terminal::{json, say},
};

/// Proves drills, one after the other: the system is healthy, or it says what is not; inject; signals, pages
/// and the causal path in time, and no other page; wrong actions do not help where the drill says so; the
/// solution does; users are served, nothing is left; reset, and proven clean. A drill that you name is then proven
/// with each of its action items, and what it costs people is compared. Exits with 1 if one failed.
/// Ctrl-C aborts the current run, and waits until it has been reset.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab drill verify first-page noon\n  \
    lab drill verify --all --junit drills.xml --markdown drills.md\n  \
    lab drill verify --all --lanes 2                                   on two labs, with what drills need\n  \
    lab drill verify --all --lanes 2 --measured docs/measured/drills.json --unmeasured\n                                                                     \
    the rest: after Ctrl-C\n  \
    lab drill verify --changed origin/main --sample 2 --at-most 8m    before a merge\n  \
    lab drill verify noon --responder nothing                          must fail\n  \
    lab drill verify cdn-waf-outage                                    without its action items, and with each")]
pub(crate) struct Verify {
    #[command(flatten)]
    pick: Pick,
    /// Decides what the faults hit. Each drill's own by default.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// What is tried.
    #[arg(long, value_enum, default_value_t = Responder::Solution, value_name = "RESPONDER")]
    responder: Responder,
    /// Begin no further drill after this time, such as 8m; those that are left are named.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    at_most: Option<Duration>,
    /// Number of labs to prove on at the same time. From 2 on, others are started beside this one and removed at the
    /// end: with as many replicas, or with what drills need and this lab lacks. Drills that need the machine to
    /// themselves run last, and so does, once more, what failed beside other labs: what passes only then is named.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
    lanes: u8,
    /// Prove drills that are not named with each of their action items, too.
    #[arg(long)]
    variants: bool,
    /// Show when each signal was seen, when it has to be seen, and where the time of each drill went.
    #[arg(long)]
    timings: bool,
    /// Write JUnit to this file.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write a report in Markdown to this file.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Write how soon each drill was detected to this file. `just generate` reads docs/measured/drills.json for
    /// docs/failure-modes.md. The times of other drills in the file stay; those of each drill are written once it is proven.
    #[arg(long, value_name = "FILE")]
    measured: Option<PathBuf>,
    /// Leave out the drills of which the file of --measured has times, even if they have changed since: continues what was
    /// ended.
    #[arg(long, requires = "measured")]
    unmeasured: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What proofs are made with.
struct Stage<'s> {
    place: &'s Installation,
    desk: Desk,
    wishes: Wishes,
    /// When the first proof began.
    begun: Instant,
    /// Whether another lab proves drills meanwhile.
    shares: bool,
}

impl<'s> Stage<'s> {
    async fn of(place: &'s Installation, who: Option<String>) -> Result<Self> {
        let desk = Desk::instructor(place, who).await?;
        Ok(Self { place, desk, wishes: Wishes::listen(), begun: Instant::now(), shares: false })
    }

    /// One line for the run that is on; nothing while several labs would write over each other.
    fn live(&self) -> Live {
        if self.shares { Live::silent() } else { Live::new() }
    }
}

impl Verify {
    /// Runs the command.
    pub(crate) async fn run(&self, place: &Installation, who: Option<String>) -> Result<ExitCode> {
        let home = place.home()?;
        let drills = files::all(&home.root)?;
        let stock = if self.lanes == 1 { Stock::here(place)? } else { None };
        let mut names = self.pick.of(&drills, &home.root, place.is_here(), stock.as_ref())?;
        if let Some(path) = self.measured.as_ref().filter(|_| self.unmeasured) {
            let known = measured::known(path)?;
            names.retain(|name| !known.contains(name));
            if names.is_empty() {
                say(format_args!("{} has times of all these drills", path.display()));
                return Ok(ExitCode::SUCCESS);
            }
        }
        let stage = Stage::of(place, who.clone()).await?;
        let (wishes, begun) = (stage.wishes.clone(), stage.begun);
        let mut papers = match self.lanes {
            1 => self.alone(&stage, &drills, &names).await?,
            _ => self.on_several(stage, who, &drills, &names).await?,
        };
        self.write(&papers)?;
        if self.json {
            json(&papers.proofs)?;
        } else {
            self.print(&papers, begun.elapsed());
        }
        if let Some(why) = papers.broken.take().or(papers.unwritten.take()) {
            return Err(why);
        }
        // No proof at all proves nothing.
        let proven = papers.proofs.iter().any(Proof::passed);
        let all = proven && papers.proofs.iter().all(|proof| proof.passed() || proof.skipped());
        // What is left proves nothing either, unless only its time was over.
        let late = self.at_most.is_some_and(|most| begun.elapsed() >= most);
        let fine = all && (papers.left.is_empty() || late) && !wishes.enough.is_cancelled();
        Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
