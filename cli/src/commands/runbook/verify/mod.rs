//! `lab runbook verify`: proves a runbook with what its own page breaks. The lab is broken, the alert fires, the runbook
//! runs, the alert has to end, and nothing may be left behind.
//!
//! What a runbook without an act needs from a person, the script does: it ends the fault when the run waits for that.

mod bench;
mod cause;
mod fault;
mod hand;
mod measure;
mod page;
mod papers;
mod report;
mod rows;
mod script;
mod skip;
mod snapshot;
mod way;

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Result;
use clap::{Args, ValueEnum};
use tokio_util::sync::CancellationToken;

use self::{bench::Bench, fault::Fault, report::Row, way::Way};
use super::runbook;
use crate::{
    home::Home,
    installation::Installation,
    signals::{self, Hangup},
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

/// For each runbook whose page can be tried on this lab: breaks it as the page does, waits for the alert, runs the runbook guided
/// and by itself, waits until the alert has ended, and compares the lab with its state before. Takes minutes for each. Names what
/// it skips, and why. Exits with 1 if a run fails, an alert does not end in time, or something is left behind. The lab has to be
/// quiet: nothing else may be broken, automation has to be off, and nobody may work on it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab runbook verify DatabasePoolSaturated ConsumerLagGrowing\n  \
    lab runbook verify --all                    every page that can be tried on this lab: about four hours\n  \
    lab runbook verify --all --way auto --junit runbooks.xml --report runbooks.md\n  \
    lab runbook verify --all --markdown         also measures with nobody acting, and writes docs/automation.md\n  \
    lab runbook verify TargetDown --markdown    measures one, and keeps the others in the table\n\n\
    helped: an act of the runbook ended the alert before the fault ended by itself\n  \
    waited: its acts did not end the alert, and it waited until the cause was gone\n  \
    led: it has no act that fits; a person was led, and it noticed the end\n  \
    held back: it saw that acting would not help, and stopped before its first act")]
pub(super) struct Verify {
    /// The runbooks, such as DatabasePoolSaturated.
    #[arg(value_parser = runbook, required_unless_present = "all")]
    runbooks: Vec<String>,
    /// All runbooks whose page can be tried on this lab. The others are reported as SKIPPED.
    #[arg(long, conflicts_with = "runbooks")]
    all: bool,
    /// How to run them.
    #[arg(long, value_enum, value_name = "WAY", default_value_t = Ways::Both)]
    way: Ways,
    /// Measure each without the runbook, too, and write the table of docs/automation.md after each measurement.
    #[arg(long)]
    markdown: bool,
    /// Measure each this many times; the table has medians.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=20))]
    repeat: u32,
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

impl Verify {
    /// Runs the command.
    pub(super) async fn run(self, home: &Home, place: &Installation) -> Result<ExitCode> {
        self.runbooks.iter().try_for_each(|name| skip::refuse(name))?;
        let bench = Bench::of(home, place).await?;
        let (faults, mut rows) = self.faults(home, &bench).await?;
        for row in &rows {
            say(format_args!("{}: {}", row.runbook, row.words()));
        }
        let work = self.work(&bench, &faults).await?;
        // What is skipped is written even if nothing is measured; and a file that cannot be written is known at once.
        self.keep(home, &rows)?;
        let (begun, stop, second) = (Instant::now(), CancellationToken::new(), CancellationToken::new());
        let words = "\nending what is broken; what was measured is written (again: leaves it broken)";
        tokio::spawn(signals::listen(stop.clone(), second.clone(), Hangup::Ends, words));
        for (index, (name, fault, way)) in work.iter().enumerate() {
            let left = left(begun.elapsed(), index, work.len());
            say(format_args!("{} of {}{left}: {name}, {way}", index + 1, work.len()));
            let Some(row) = stop.run_until_cancelled(bench.measure(name, fault, *way)).await else {
                match second.run_until_cancelled(bench.clear(fault)).await {
                    Some(cleared) => cleared?,
                    None => say("what is broken stays: lab fix ends faults, lab runbook stop a run"),
                }
                break;
            };
            say(format_args!("  {}", row.words()));
            rows.push(row);
            // Each time: what took hours is not lost if somebody ends it.
            self.keep(home, &rows)?;
        }
        if self.json {
            json(&rows)?;
        } else {
            report::print(&rows);
        }
        let fine = rows.iter().all(Row::is_fine) && rows.iter().any(Row::is_measured) && !stop.is_cancelled();
        Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    /// Writes what was skipped, and what has been measured so far.
    fn keep(&self, home: &Home, rows: &[Row]) -> Result<()> {
        if self.markdown {
            page::write(home, rows)?;
        }
        if let Some(path) = &self.junit {
            papers::junit(path, rows)?;
        }
        if let Some(path) = &self.report {
            papers::markdown(path, rows)?;
        }
        Ok(())
    }

    /// Every measurement, in order.
    async fn work<'f>(
        &self,
        bench: &Bench<'_>,
        faults: &'f [(String, Fault)],
    ) -> Result<Vec<(&'f str, &'f Fault, Way)>> {
        let mut work = Vec::new();
        for (name, fault) in faults {
            for way in self.ways() {
                // Where no act helps, nobody acting is no comparison.
                if way == Way::Nobody && !bench.acts(name).await? {
                    continue;
                }
                work.extend((0..self.repeat).map(|_| (name.as_str(), fault, way)));
            }
        }
        Ok(work)
    }

    fn ways(&self) -> Vec<Way> {
        let mut ways = match self.way {
            Ways::Manual => vec![Way::Manual],
            Ways::Auto => vec![Way::Auto],
            Ways::Both => vec![Way::Manual, Way::Auto],
        };
        if self.markdown {
            ways.push(Way::Nobody);
        }
        ways
    }

    /// The faults of the chosen pages, by runbook, and a row for each page that is skipped.
    async fn faults(&self, home: &Home, bench: &Bench<'_>) -> Result<(Vec<(String, Fault)>, Vec<Row>)> {
        let mut pages = if self.all { fault::all(home)? } else { Vec::new() };
        for name in &self.runbooks {
            pages.push((name.clone(), fault::of(home, name)?));
        }
        let (mut chosen, mut skipped) = (Vec::new(), Vec::new());
        for (name, fault) in pages {
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

/// How long the rest takes, if it takes as long as what is done: `, about 34 min left`. Nothing before the first is done.
fn left(elapsed: Duration, done: usize, all: usize) -> String {
    let Some(each) = u32::try_from(done).ok().and_then(|done| elapsed.checked_div(done)) else {
        return String::new();
    };
    let rest = u32::try_from(all.saturating_sub(done)).unwrap_or(u32::MAX);
    format!(", about {} min left", each.saturating_mul(rest).as_secs().div_ceil(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_estimated_from_what_is_done() {
        assert_eq!(left(Duration::from_secs(5), 0, 9), "");
        assert_eq!(left(Duration::from_secs(300), 2, 6), ", about 10 min left");
        assert_eq!(left(Duration::from_secs(10), 1, 2), ", about 1 min left");
    }
}
