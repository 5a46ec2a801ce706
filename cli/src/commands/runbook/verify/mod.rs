//! `lab runbook verify`: proves a runbook with the fault that its own page tries. The lab is broken, the alert fires, the runbook
//! runs, the alert has to end, and nothing may be left behind.
//!
//! What a runbook without an act needs from a person, the script does: it ends the fault when the run waits for that.

mod bench;
mod fault;
mod report;
mod rows;
mod script;
mod snapshot;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use self::{
    bench::{Bench, Way},
    fault::{ELSEWHERE, Fault},
    report::Row,
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

/// For each runbook whose page has a fault to try: breaks the lab, waits for the alert, runs the runbook guided and by itself,
/// waits until the alert has ended, and compares the lab with its state before. Takes minutes for each. Exits with 1 if a run
/// fails, an alert does not end in time, or something is left behind. The lab has to be quiet: nothing else may be broken.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab runbook verify DatabasePoolSaturated ConsumerLagGrowing\n  \
    lab runbook verify --all                    every page that can be tried on this machine: about an hour\n  \
    lab runbook verify --all --way auto\n  \
    lab runbook verify --all --markdown         also measures with nobody acting, and writes docs/automation.md\n\n\
    helped: an act of the runbook ended the alert before the fault ended by itself\n  \
    waited: its acts did not end the alert, and it waited until the cause was gone\n  \
    led: it has no act that fits; a person was led, and it noticed the end\n  \
    held back: it saw that acting would not help, and stopped before its first act")]
pub(super) struct Verify {
    /// The runbooks, such as DatabasePoolSaturated.
    #[arg(value_parser = runbook, required_unless_present = "all")]
    runbooks: Vec<String>,
    /// All runbooks whose page has a fault that can be tried on this machine.
    #[arg(long, conflicts_with = "runbooks")]
    all: bool,
    /// How to run them.
    #[arg(long, value_enum, value_name = "WAY", default_value_t = Ways::Both)]
    way: Ways,
    /// Measure each without the runbook, too, and write the table of docs/automation.md.
    #[arg(long)]
    markdown: bool,
    /// Measure each this many times; the table has medians.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=20))]
    repeat: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Verify {
    /// Runs the command.
    pub(super) async fn run(self, home: &Home, place: &Installation) -> Result<ExitCode> {
        let faults = self.faults(home)?;
        let bench = Bench::of(home, place).await?;
        let mut rows = Vec::new();
        for (name, fault) in &faults {
            for way in self.ways() {
                // Where no act helps, nobody acting is no comparison.
                if way == Way::Nobody && !bench.acts(name).await? {
                    continue;
                }
                for _ in 0..self.repeat {
                    say(format_args!("{name}: {way}"));
                    let row = bench.measure(name, fault, way).await;
                    say(format_args!("{name}: {}", row.words()));
                    rows.push(row);
                }
            }
        }
        if self.markdown {
            report::write(home, &rows)?;
        }
        if self.json {
            json(&rows)?;
        } else {
            report::print(&rows);
        }
        Ok(if rows.iter().all(Row::is_fine) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
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

    /// The faults of the chosen pages, by runbook.
    fn faults(&self, home: &Home) -> Result<Vec<(String, Fault)>> {
        if self.all {
            let all = fault::all(home)?;
            return Ok(all.into_iter().filter(|(name, _)| elsewhere(name).is_none()).collect());
        }
        let mut chosen = Vec::new();
        for name in &self.runbooks {
            if let Some(why) = elsewhere(name) {
                bail!("{name} cannot be tried here: {why}");
            }
            let fault = fault::of(home, name)?;
            let fault = fault.with_context(|| format!("the page of {name} has no fault to try"))?;
            chosen.push((name.clone(), fault));
        }
        Ok(chosen)
    }
}

/// Why a page cannot be tried on this machine.
fn elsewhere(name: &str) -> Option<&'static str> {
    ELSEWHERE.iter().find(|(known, _)| *known == name).map(|(_, why)| *why)
}
