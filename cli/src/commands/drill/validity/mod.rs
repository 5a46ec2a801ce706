//! `lab drill validity`: proves that a proof proves something. A drill whose solution passes may still be
//! worth nothing: if nobody has to do anything, if a blind alert is not noticed, if two runs differ, or if
//! something tells the answer.
//!
//! * `question` -- what is asked. `bench` -- the lab that is asked. `lanes` -- drill after drill, on several labs.
//! * `replay`, `leaks`, `plans` -- mutations, what tells the answer, whether two runs are the same.
//! * `sheet` -- the answers about one drill. `kept` -- those of all runs.

mod bench;
pub(super) mod kept;
mod lanes;
mod leaks;
mod plans;
mod question;
mod replay;
mod sheet;

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use clap::Args;
use drill::Drill;

use self::{
    bench::Bench,
    kept::Book,
    lanes::Work,
    plans::Plans,
    question::{Check, least},
    sheet::{Answer, Sheet},
};
use super::{
    files,
    verify::{
        kit::Stock,
        pick::Pick,
        run::{Responder, Wishes},
    },
};
use crate::{
    commands::kept::Pieces,
    installation::Installation,
    terminal::{block, json, out, say},
};

/// Asks of each drill: does its solution pass? Does doing nothing fail to recover? Does a restart of
/// everything end as it states? Would a proof notice if an alert were deleted, its threshold raised, its
/// metric gone? Do two runs with one seed set the same faults? Does anything that a trainee can read name a
/// fault? Takes three runs per drill. Exits with 1 if an answer is wrong.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab drill validity first-page\n  \
    lab drill validity --sample 2                             two, others every day\n  \
    lab drill validity --all --list                           what is known, and how long the rest takes\n  \
    lab drill validity --all --unmeasured --keep --lanes 2    the rest, on two labs: for hours; after Ctrl-C, again\n  \
    lab drill validity --all --unmeasured --keep --at-most 45m\n                                                            \
    a part of it\n  \
    lab drill validity noon --check mutations --check leaks")]
pub(super) struct Validity {
    #[command(flatten)]
    pick: Pick,
    /// Only this question; may be repeated.
    #[arg(long = "check", value_enum, value_name = "QUESTION")]
    checks: Vec<Check>,
    /// Decides what the faults hit. Each drill's own by default.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    #[command(flatten)]
    pieces: Pieces,
    /// Number of labs to ask at the same time. From 2 on, others like this one are started beside it and removed at the
    /// end. Drills that need the machine to themselves run last.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
    lanes: u8,
    /// Only list what would be asked, what is known, and the least time that it takes. Needs no lab.
    #[arg(long, conflicts_with_all = ["keep", "markdown", "json"])]
    list: bool,
    /// Write the table in Markdown to this file.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Validity {
    /// Runs the command.
    pub(super) async fn run(&self, place: &Installation, who: Option<String>) -> Result<ExitCode> {
        let home = place.home()?;
        let drills = files::all(&home.root)?;
        let book = Book::open(&home.root, &drills, self.pieces.keep)?;
        let stock = Stock::here(place)?;
        let mut names = self.pick.of(&drills, &home.root, place.is_here(), stock.as_ref())?;
        names.retain(|name| drills.get(name).is_some_and(|drill| !self.asked(drill, &book).is_empty()));
        if self.pieces.unmeasured {
            // What is asked again because its answer was wrong comes last: it may take all the time, each time.
            names.sort_by_key(|name| book.has(name));
        }
        if self.list {
            self.show(&drills, &book, &names);
            return Ok(ExitCode::SUCCESS);
        }
        if names.is_empty() {
            say("every question has the right answer already");
            return Ok(ExitCode::SUCCESS);
        }
        say(format_args!("{}, on one lab", self.estimate(&drills, &book, &names)));
        let wishes = Wishes::listen();
        let mut first = Bench::of(place, who.clone(), &wishes, self.seed).await?;
        let work = Work::of(&drills, &book);
        let ended = self.all(&mut first, place, who.as_deref(), &work, &names).await;
        let (sheets, left) = (work.sheets.take(), work.left.take());
        if self.json {
            json(&sheets)?;
        } else {
            out!("");
            block(&sheet::table(&sheets));
        }
        if !left.is_empty() {
            say(format_args!("not asked about: {}", left.join(", ")));
        }
        // What was answered is shown and kept; this is why the rest is not.
        ended?;
        // What was not asked because of Ctrl-C is no right answer.
        let whole = !sheets.is_empty()
            && sheets.len() + work.skipped.get() == names.len()
            && !wishes.enough.is_cancelled();
        let fine = whole && sheets.iter().all(Sheet::is_right);
        Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// The questions about a drill that are asked.
    fn asked(&self, drill: &Drill, book: &Book) -> Vec<Check> {
        let wanted = |check: &Check| self.checks.is_empty() || self.checks.contains(check);
        let open = |check: &Check| !self.pieces.unmeasured || !book.knows(&drill.id, *check);
        let all = Check::ALL.into_iter().filter(|check| check.is_about(drill));
        all.filter(wanted).filter(open).collect()
    }

    /// `12 drills, at least 1h 3m`.
    fn estimate(&self, drills: &BTreeMap<String, Drill>, book: &Book, names: &[String]) -> String {
        let asked = names.iter().filter_map(|name| drills.get(name));
        let all: Duration = asked.map(|drill| least(drill, &self.asked(drill, book))).sum();
        let minutes = Duration::from_secs(all.as_secs().div_ceil(60) * 60);
        format!("{} drills, at least {}", names.len(), humantime::format_duration(minutes))
    }

    /// Prints what would be asked.
    fn show(&self, drills: &BTreeMap<String, Drill>, book: &Book, names: &[String]) {
        let width = names.iter().map(String::len).max().unwrap_or(0);
        for drill in names.iter().filter_map(|name| drills.get(name)) {
            let asked = self.asked(drill, book);
            let time = humantime::format_duration(Duration::from_secs(least(drill, &asked).as_secs()));
            let asked: Vec<&str> = asked.iter().map(|check| check.name()).collect();
            out!("{:width$}  asks {}; at least {time}", drill.id, asked.join(", "));
            out!("{:width$}  {}", "", book.words(&drill.id));
        }
        out!("{}", self.estimate(drills, book, names));
    }

    /// Writes the table that was asked for, of what is known so far.
    fn write(&self, sheets: &[Sheet]) -> Result<()> {
        let Some(path) = &self.markdown else { return Ok(()) };
        fs::write(path, sheet::table(sheets)).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Asks about a drill, and keeps what each run answers; false if this lab does not have what it needs.
    async fn one(
        &self,
        bench: &Bench,
        drill: &Drill,
        place: &str,
        book: &Book,
        sheet: &mut Sheet,
    ) -> Result<bool> {
        let (begun, asked) = (Instant::now(), self.asked(drill, book));
        let asks = |checks: &[Check]| checks.iter().any(|check| asked.contains(check));
        let mut first = None;
        // If you name a drill, you want to know that it cannot run; of all drills, only those that can run are asked.
        let mut skips = !self.pick.is_named();
        if asks(&Check::OF_SOLUTION) {
            let done = bench.prove(drill, Responder::Solution, place, None, skips).await?;
            let Some(done) = done else { return Ok(false) };
            if bench.is_enough() {
                return Ok(true);
            }
            skips = false;
            sheet.pages.clone_from(&done.proof.pages);
            sheet.solution = sheet::solved(&done.proof);
            if asks(&[Check::Mutations]) {
                bench.mutate(drill, done.run.as_deref(), sheet).await;
            }
            first = Some(done.plans);
            sheet.seconds = begun.elapsed().as_secs_f64();
            book.keep(sheet)?;
        }
        if asks(&Check::OF_NOTHING) {
            let first = first.as_ref().filter(|_| asks(&[Check::Seeds]));
            let answered = nothing(bench, drill, (place, skips), asks(&[Check::Leaks]), first, sheet).await?;
            if !answered || bench.is_enough() {
                return Ok(answered);
            }
            skips = false;
            sheet.seconds = begun.elapsed().as_secs_f64();
            book.keep(sheet)?;
        }
        if asks(&[Check::RestartAll]) {
            let done = bench.prove(drill, Responder::RestartAll, place, None, skips).await?;
            let Some(done) = done else { return Ok(false) };
            if bench.is_enough() {
                return Ok(true);
            }
            sheet.restart_all = sheet::stated(drill.validity.restart_all, &done.proof, done.run.as_deref());
            sheet.seconds = begun.elapsed().as_secs_f64();
            book.keep(sheet)?;
        }
        Ok(true)
    }
}

/// What a run in which nobody does anything answers; false if this lab does not have what it needs. `first`: what the run
/// before it with the same seed has set, if that is asked.
async fn nothing(
    bench: &Bench,
    drill: &Drill,
    (place, skips): (&str, bool),
    scans: bool,
    first: Option<&Plans>,
    sheet: &mut Sheet,
) -> Result<bool> {
    let mut scan = if scans { bench.scan(drill, sheet).await? } else { None };
    let mut leaks = None;
    let probe = scan.as_mut().zip(Some(&mut leaks));
    let done = bench.prove(drill, Responder::Nothing, place, probe, skips).await?;
    let Some(done) = done else { return Ok(false) };
    if bench.is_enough() {
        return Ok(true);
    }
    sheet.nothing = sheet::stated(drill.validity.nothing, &done.proof, done.run.as_deref());
    match (scan, leaks) {
        (Some(_), Some(leaks)) => sheet.leaked(leaks),
        (Some(_), None) => sheet.leaks = Answer::Wrong("the run did not get that far".to_owned()),
        (None, _) => {}
    }
    if let Some(first) = first {
        sheet.seeds = same(first, &done.plans);
    }
    Ok(true)
}

/// Whether two runs set the same faults.
fn same(first: &Plans, second: &Plans) -> Answer {
    match first.differ(second) {
        _ if first.is_empty() => Answer::Wrong("no fault was seen in any replica".to_owned()),
        None => Answer::Right("same".to_owned()),
        Some(differ) => Answer::Wrong(format!("two runs with one seed differ: {differ}")),
    }
}
