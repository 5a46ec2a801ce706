//! `lab runbook verify`: proves a runbook with what its own page breaks. The lab is broken, the alert fires, the runbook
//! runs, the alert has to end, and nothing may be left behind.
//!
//! What a runbook without an act needs from a person, the script does: it ends the fault when the run waits for that.

mod bench;
mod cause;
mod fault;
mod hand;
mod lanes;
mod list;
mod measure;
mod measured;
mod page;
mod papers;
mod pick;
mod queue;
mod report;
mod rows;
mod script;
mod session;
mod skip;
mod snapshot;
mod way;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Result;
use clap::{Args, ValueEnum};

use self::{
    bench::Bench,
    fault::Fault,
    lanes::Wishes,
    measured::Measured,
    pick::{Part, Trial, part},
    report::Row,
    session::Session,
    way::Way,
};
use super::runbook;
use crate::{
    home::Home,
    installation::Installation,
    terminal::{json, say},
};

/// Which ways to run it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Ways {
    /// Guided, with scripted answers.
    Manual,
    /// By itself.
    Auto,
    /// Both.
    Both,
}

/// For each runbook whose page can be tried on this lab: breaks it as the page does, waits for the alert, runs the runbook by
/// itself and guided, waits until the alert has ended, and compares the lab with its state before. Takes minutes for each. Names
/// what it skips, and why. Exits with 1 if a run fails, an alert does not end in time, or something is left behind. The lab has to
/// be quiet: nothing else may be broken, automation has to be off, and nobody may work on it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab runbook verify DatabasePoolSaturated ConsumerLagGrowing\n  \
    lab runbook verify --all --list                       what is measured already; needs no lab\n  \
    lab runbook verify --all --lanes 2 --markdown         all of them, kept for docs/automation.md\n  \
    lab runbook verify --all --lanes 2 --markdown --proof-only   the same, without what only compares\n  \
    lab runbook verify --all --unmeasured --markdown      the rest: after Ctrl-C, or a change of some runbooks\n  \
    lab runbook verify --all --part 2/5 --junit part.xml  a fifth of them, such as one job of five\n  \
    lab runbook verify TargetDown --markdown              measures one, and keeps the others\n\n\
    All are tried by themselves, then all guided, then those that helped with nobody acting (--markdown). Ctrl-C ends it\n\
    after the current one is repaired; what is measured is kept.\n\n\
    helped: an act of the runbook ended the alert before the fault ended by itself\n  \
    waited: its acts did not end the alert in 75 s, and it waited until the cause was gone\n  \
    led: it has no act that fits; a person was led, and it noticed the end\n  \
    held back: it saw that acting would not help, and stopped before its first act")]
pub(super) struct Verify {
    /// The runbooks, such as DatabasePoolSaturated.
    #[arg(value_parser = runbook, required_unless_present = "all")]
    runbooks: Vec<String>,
    /// All runbooks whose page can be tried on this lab. The others are reported as SKIPPED.
    #[arg(long, conflicts_with = "runbooks")]
    all: bool,
    /// Only a part of all, such as 2/5: the second of five parts that take about as long. The parts of 5 have each runbook once.
    #[arg(long, value_name = "K/N", value_parser = part, requires = "all")]
    part: Option<Part>,
    /// How to run them.
    #[arg(long, value_enum, value_name = "WAY", default_value_t = Ways::Both)]
    way: Ways,
    /// Leave out what docs/measured/runbooks.json has already. What failed is tried again, and so is what has changed since: the
    /// steps of a runbook, or what its page breaks.
    #[arg(long)]
    unmeasured: bool,
    /// Keep what is measured in docs/measured/runbooks.json, and write the tables of docs/automation.md from it, after each
    /// measurement. Those that help are also measured with nobody acting, to compare.
    #[arg(long)]
    markdown: bool,
    /// With --markdown: leave out the comparison with nobody acting. Every one of those lasts as long as its fault, and proves nothing
    /// of the runbook.
    #[arg(long, requires = "markdown")]
    proof_only: bool,
    /// Number of labs to measure on at the same time. 2 starts a second one beside this one, with as many replicas, and removes it
    /// at the end; more start more, for a machine that has the cores. What needs the machine to itself, or parts that only this lab
    /// has, is measured last, on this lab alone.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
    lanes: u8,
    /// Measure each this many times; the table has medians.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=20))]
    repeat: u32,
    /// Only list them, with what docs/measured/runbooks.json says of each.
    #[arg(long, conflicts_with_all = ["markdown", "junit", "report", "json"])]
    list: bool,
    /// Write JUnit to this file.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write a report in Markdown to this file.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Writes what is kept of measurements into docs/automation.md; returns whether the page was different. Writes nothing if `check`.
///
/// # Errors
/// When a file cannot be read or written.
pub(super) fn tables(root: &Path, check: bool) -> Result<bool> {
    page::write(root, check)
}

impl Verify {
    /// Runs the command.
    pub(super) async fn run(self, home: &Home, place: &Installation) -> Result<ExitCode> {
        self.runbooks.iter().try_for_each(|name| skip::refuse(name))?;
        let (names, kept) = (self.names(&home.root)?, measured::read(&home.root)?);
        if self.list {
            list::print(&home.root, &names, &kept)?;
            return Ok(ExitCode::SUCCESS);
        }
        let bench = Bench::of(home, place).await?;
        let (faults, skipped) = self.faults(&home.root, &bench, names).await?;
        for row in &skipped {
            say(format_args!("{}: {}", row.runbook, row.words()));
        }
        let (trials, texts) = trials(&home.root, &bench, faults, &kept).await?;
        let session = Session::begin(&self, home.root.clone(), texts, skipped)?;
        let wishes = Wishes::listen();
        self.measure(&bench, &trials, &session, &wishes).await?;
        let rows = session.rows();
        if self.json {
            json(&rows)?;
        } else {
            report::print(&rows);
        }
        // No measurement at all proves nothing, unless nothing is left to measure.
        let some = rows.iter().any(Row::is_measured) || (self.unmeasured && !trials.is_empty());
        let fine = some && rows.iter().all(Row::is_fine) && !wishes.stop.is_cancelled();
        Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// The named ones, or all, or a part of all.
    fn names(&self, root: &Path) -> Result<Vec<String>> {
        let names = if self.all { fault::names(root)? } else { self.runbooks.clone() };
        Ok(match self.part {
            Some(part) => part.choose(names),
            None => names,
        })
    }

    /// By itself first: if its acts do not end the alert, the other ways need not wait for that again.
    fn ways(&self) -> Vec<Way> {
        let mut ways = match self.way {
            Ways::Manual => vec![Way::Manual],
            Ways::Auto => vec![Way::Auto],
            Ways::Both => vec![Way::Auto, Way::Manual],
        };
        if self.markdown && !self.proof_only {
            ways.push(Way::Nobody);
        }
        ways
    }

    /// The faults of the chosen pages, by runbook, and a row for each page that is skipped.
    async fn faults(
        &self,
        root: &Path,
        bench: &Bench<'_>,
        names: Vec<String>,
    ) -> Result<(Vec<(String, Fault)>, Vec<Row>)> {
        let (mut chosen, mut skipped) = (Vec::new(), Vec::new());
        for name in names {
            let fault = fault::of(root, &name)?;
            let why = match skip::elsewhere(&name) {
                Some(why) => Some(why),
                None => skip::lacks(&bench.prometheus, &name).await?,
            };
            match skip::chosen(&name, why, fault, self.all)? {
                Ok(fault) => chosen.push((name, fault)),
                Err(why) => skipped.push(Row::skipped(&name, why)),
            }
        }
        Ok((chosen, skipped))
    }
}

/// What is tried, with what is known of it, and what tells the text of each.
async fn trials(
    root: &Path,
    bench: &Bench<'_>,
    faults: Vec<(String, Fault)>,
    all: &Measured,
) -> Result<(Vec<Trial>, BTreeMap<String, String>)> {
    let (mut trials, mut texts) = (Vec::new(), BTreeMap::new());
    for (name, fault) in faults {
        let text = measured::text(root, &name)?;
        let kept = measured::current(all, &name, &text).cloned();
        texts.insert(name.clone(), text);
        trials.push(Trial { acts: bench.acts(&name).await?, name, fault, kept });
    }
    Ok((trials, texts))
}
