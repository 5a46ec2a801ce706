//! `lab drill bench`, `lab drill start --responder` and `lab drill export`: programs as responders. A program
//! gets the address of the control room and a run, and nothing of this checkout or of the environment of
//! `lab`; it is scored as a person is.
//!
//! * `room` -- what is asked of the control room. `responder` -- the program as a process.
//! * `walls` -- what hides the answers from it. `respond` -- one run. `report` -- what several of them come to.
//! * [`export`] -- a drill as a task for Harbor.

mod export;
mod report;
mod respond;
mod responder;
mod room;
mod walls;

use std::process::ExitCode;

use anyhow::{Result, bail, ensure};
use clap::{Args, value_parser};
use tokio_util::sync::CancellationToken;

pub(crate) use self::{export::Export, responder::Responder};
use self::{
    report::{Report, Row},
    respond::respond,
    room::{Order, Room},
    walls::Walls,
};
use crate::{
    installation::Installation,
    signals::{self, Hangup},
    terminal::{block, json, say},
};

/// What is said if responders can become instructors.
const OPEN: &str = "the truth is not sealed: without a token, a responder may ask as an instructor, and may ask the \
                    services which faults are on. For a fair measurement start the lab with FAULTS_TOKEN in the \
                    environment of `lab up`";

/// Lets a program respond to drills, and says how it did: how often it passed, its score, what it did and
/// asked, how long it took. A drill is run once for each seed; what is broken and what happens beside it
/// follow from the seed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab drill bench --responder drills/responders/null --drills first-page --seeds 1\n  \
    lab drill bench --responder drills/responders/restart-all --seeds 3 --markdown\n  \
    lab drill bench --responder 'my-agent --fast' --env MY_API_KEY --json > bench.json\n\n\
    What a program gets, and how it connects: docs/agents.md")]
pub(crate) struct Bench {
    #[command(flatten)]
    responder: Responder,
    /// Which drills; by default every one that can run here.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    drills: Vec<String>,
    /// How often each drill is run, with the seeds 1, 2, 3, …
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = value_parser!(u32).range(1..=100))]
    seeds: u32,
    /// Measure on a lab without FAULTS_TOKEN, where a responder can ask for the answer. The field `sealed` of the JSON says so.
    #[arg(long)]
    unsealed: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Print a row for the table in docs/agents.md.
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
}

impl Bench {
    /// Runs the command. Exits with 1 if no run could be judged.
    ///
    /// # Errors
    /// When there is no control room, nothing is sealed there, the program cannot be started, or a signal ends it.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let room = Room::of(place).await?;
        let sealed = room.is_sealed().await?;
        if !sealed && !self.unsealed {
            bail!("{OPEN}, or measure with --unsealed");
        }
        let (walls, hidden) = Walls::around(place);
        let drills = if self.drills.is_empty() { room.drills().await? } else { self.drills };
        ensure!(!drills.is_empty(), "this control room has no drills");
        let (enough, mut rows) = (listen(), Vec::new());
        for drill in drills {
            let mut row = Row::of(&drill);
            for seed in 1..=u64::from(self.seeds) {
                let order = Order { drill: Some(&drill), seed: Some(seed), responder: self.responder.name() };
                match respond(&room, &order, &self.responder, &walls, &enough).await? {
                    Ok(attempt) => {
                        say(format_args!("{drill}, seed {seed}: {}", attempt.words()));
                        row.attempts.push(attempt);
                    }
                    Err(why) => {
                        say(format_args!("{drill}: left out: {why}"));
                        row.left_out = Some(why);
                        break;
                    }
                }
            }
            rows.push(row);
        }
        let report = Report::new(self.responder.name(), self.seeds, sealed && hidden, rows);
        if self.json {
            json(&report)?;
        } else if self.markdown {
            block(&report.markdown());
        } else {
            block(&report.table());
        }
        Ok(if report.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// `lab drill start --responder CMD`: one run of a drill, or of a mystery, by a program. Exits with 1 unless
/// it passed.
///
/// # Errors
/// As [`Bench::run`], and when the drill cannot run here.
pub(crate) async fn start(
    place: &Installation,
    drill: Option<&str>,
    seed: Option<u64>,
    responder: &Responder,
    as_json: bool,
) -> Result<ExitCode> {
    let room = Room::of(place).await?;
    if !room.is_sealed().await? {
        say(OPEN);
    }
    let (walls, _) = Walls::around(place);
    let order = Order { drill, seed, responder: responder.name() };
    let attempt = respond(&room, &order, responder, &walls, &listen()).await?.map_err(anyhow::Error::msg)?;
    if as_json {
        json(&attempt)?;
    } else {
        block(&format!("{}: {}\n", attempt.drill, attempt.words()));
        block(&format!("the report: lab drill report {}\n", attempt.run));
    }
    Ok(if attempt.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What ends a run and its program in order: Ctrl-C, SIGTERM, a terminal that is closed.
fn listen() -> CancellationToken {
    let enough = CancellationToken::new();
    let words = "ending the program, and aborting its run";
    tokio::spawn(signals::listen(enough.clone(), CancellationToken::new(), Hangup::Ends, words));
    enough
}
