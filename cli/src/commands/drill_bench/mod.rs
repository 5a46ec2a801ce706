//! `lab drill bench`, `lab drill start --responder` and `lab drill export`: programs as responders. A program
//! gets the address of the control room and a run, and nothing of this checkout or of the environment of
//! `lab`; it is scored as a person is.
//!
//! * `room` -- what is asked of the control room. `responder` -- the program as a process.
//! * `walls` -- what hides the answers from it. `respond` -- one run. `report` -- what several of them come to. `kept` -- what is
//!   known of earlier ones.
//! * [`export`] -- a drill as a task for Harbor.

mod export;
mod kept;
mod report;
mod respond;
mod responder;
mod room;
mod walls;

use std::{cell::Cell, path::Path, process::ExitCode, time::Instant};

use anyhow::{Result, bail, ensure};
use clap::{Args, value_parser};
use tokio_util::sync::CancellationToken;

pub(crate) use self::{export::Export, kept::FILE as KEPT, responder::Responder};
use self::{
    kept::Book,
    report::{Report, Row},
    respond::respond,
    room::{Order, Room},
    walls::Walls,
};
use crate::{
    commands::kept::Pieces,
    installation::Installation,
    signals::{self, Hangup},
    terminal::{block, json, say},
};

/// What is said if responders can become instructors.
const OPEN: &str = "the truth is not sealed: without a token, a responder may ask as an instructor, and may ask the \
                    services which faults are on. For a fair measurement start the lab with FAULTS_TOKEN in the \
                    environment of `lab up`";

/// That many errors in a row have one reason, such as a program that is not there: the bench ends.
const IN_A_ROW: u32 = 3;

/// Lets a program respond to drills, and says how it did: how often it passed, its score, what it did and
/// asked, how long it took. A drill is run once for each seed; what is broken and what happens beside it
/// follow from the seed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab drill bench --responder drills/responders/null --drills first-page --seeds 1\n  \
    lab drill bench --responder drills/responders/restart-all --seeds 3 --markdown\n  \
    lab drill bench --responder 'my-agent --fast' --env MY_API_KEY --json > bench.json\n  \
    lab drill bench --responder drills/responders/null --keep --unmeasured --at-most 2h\n                                             \
    a part of all, kept for docs/agents.md\n\n\
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
    #[command(flatten)]
    pieces: Pieces,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Print a row for the table in docs/agents.md.
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
}

/// What a bench is run with.
struct Stage<'s> {
    room: &'s Room,
    walls: &'s Walls,
    enough: CancellationToken,
    book: Option<Book>,
    /// Whether the responder can read no answer.
    sealed: bool,
    begun: Instant,
    errors: Errors,
}

/// Runs that ended with an error and not with a verdict.
#[derive(Debug, Default)]
struct Errors {
    all: Cell<u32>,
    in_a_row: Cell<u32>,
}

impl Errors {
    /// One more; returns whether no further run is worth its time.
    fn add(&self) -> bool {
        self.all.set(self.all.get() + 1);
        self.in_a_row.set(self.in_a_row.get() + 1);
        self.in_a_row.get() >= IN_A_ROW
    }

    /// A run had a verdict.
    fn none(&self) {
        self.in_a_row.set(0);
    }
}

/// Writes the table of docs/agents.md from what is kept; returns whether the page was different. Writes nothing if `check`.
///
/// # Errors
/// When a file cannot be read or written.
pub(crate) fn table(root: &Path, check: bool) -> Result<bool> {
    kept::table(root, check)
}

impl Bench {
    /// Runs the command. Exits with 1 if no run could be judged, or if one ended with an error.
    ///
    /// # Errors
    /// When there is no control room, nothing is sealed there, three runs in a row end with an error, such as a program that cannot
    /// be started, or a signal ends it. What was found until then is printed all the same.
    pub(crate) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let room = Room::of(place).await?;
        let sealed = room.is_sealed().await?;
        if !sealed && !self.unsealed {
            bail!("{OPEN}, or measure with --unsealed");
        }
        let book = (self.pieces.keep || self.pieces.unmeasured)
            .then(|| Book::open(&place.home()?.root, self.responder.name(), self.pieces.keep))
            .transpose()?;
        let (walls, hidden) = Walls::around(place);
        let drills = if self.drills.is_empty() { room.drills().await? } else { self.drills.clone() };
        ensure!(!drills.is_empty(), "this control room has no drills");
        let (enough, sealed) = (listen(), sealed && hidden);
        let (begun, errors) = (Instant::now(), Errors::default());
        let stage = Stage { room: &room, walls: &walls, enough, book, sealed, begun, errors };
        let mut rows = Vec::new();
        let ended = self.all(&stage, &drills, &mut rows).await;
        let report = Report::new(self.responder.name(), self.seeds, sealed, rows);
        if self.json {
            json(&report)?;
        } else if self.markdown {
            block(&report.markdown());
        } else {
            block(&report.table());
        }
        ended?;
        let fine = !report.is_empty() && stage.errors.all.get() == 0;
        Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Lets the program respond to all of these; adds a row for each.
    async fn all(&self, stage: &Stage<'_>, drills: &[String], rows: &mut Vec<Row>) -> Result<()> {
        for (index, drill) in drills.iter().enumerate() {
            if self.pieces.is_late(stage.begun) {
                say(format_args!("not run: {}", drills[index..].join(", ")));
                return Ok(());
            }
            let mut row = Row::of(drill);
            let ended = self.row(stage, &format!("drill {} of {}", index + 1, drills.len()), &mut row).await;
            // What is known already is not run again.
            if !row.attempts.is_empty() || row.left_out.is_some() {
                rows.push(row);
            }
            ended?;
        }
        Ok(())
    }

    /// The same for one drill, with each seed. `place` says which one it is.
    async fn row(&self, stage: &Stage<'_>, place: &str, row: &mut Row) -> Result<()> {
        for seed in 1..=u64::from(self.seeds) {
            let known = |book: &Book| self.pieces.unmeasured && book.knows(&row.drill, seed);
            if self.pieces.is_late(stage.begun) || stage.book.as_ref().is_some_and(known) {
                continue;
            }
            let drill = row.drill.clone();
            let order = Order { drill: Some(&drill), seed: Some(seed), responder: self.responder.name() };
            let responded = respond(stage.room, &order, &self.responder, stage.walls, &stage.enough).await;
            let responded = match responded {
                Ok(responded) => responded,
                Err(why) if stage.enough.is_cancelled() || stage.errors.add() => return Err(why),
                Err(why) => {
                    say(format_args!("{place}, {drill}, seed {seed}: not run to its end: {why:#}"));
                    continue;
                }
            };
            stage.errors.none();
            match responded {
                Ok(attempt) => {
                    let seeds = self.seeds;
                    say(format_args!("{place}, {drill}, seed {seed} of {seeds}: {}", attempt.words()));
                    if let Some(book) = &stage.book {
                        book.keep(&attempt, stage.sealed)?;
                    }
                    row.attempts.push(attempt);
                }
                Err(why) => {
                    say(format_args!("{place}, {drill}: left out: {why}"));
                    row.left_out = Some(why);
                    return Ok(());
                }
            }
        }
        Ok(())
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
