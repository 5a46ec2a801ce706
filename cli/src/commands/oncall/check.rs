//! `lab oncall check`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use rota::check::{Outlook, Report, WEEKS};

use super::{Place, title, wall};
use crate::{
    installation::Installation,
    terminal::{json, out},
};

/// Hand-offs that are printed; --json has all of them.
const SHOWN: usize = 8;

/// Exits with 1 and one line per problem (file:line: field: what is wrong and what would be right) if the file cannot
/// be used. Otherwise shows what the next 52 weeks ask of each person. Nights are from 22:00 to 06:00 where a person
/// lives.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab oncall check\n  \
    lab oncall check --file my-oncall.yaml\n  \
    lab oncall check --json | jq '.schedules[].warnings'")]
pub(super) struct Check {
    #[command(flatten)]
    place: Place,
    /// Print JSON, with every hand-off and gap.
    #[arg(long)]
    json: bool,
}

impl Check {
    /// Runs the command.
    pub(super) fn run(self, place: &Installation) -> Result<ExitCode> {
        let rota = self.place.rota(place)?;
        let report = rota::check::check(&rota, self.place.now());
        if self.json {
            json(&report)?;
        } else {
            print(&rota, &report);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn print(rota: &rota::Rota, report: &Report) {
    for outlook in &report.schedules {
        out!("{}: the next {WEEKS} weeks", outlook.schedule);
        out!(
            "  {:<24} {:>6} {:>7} {:>6} {:>9} {:>12}",
            "person",
            "shifts",
            "hours",
            "share",
            "at night",
            "at weekends"
        );
        for load in &outlook.people {
            out!(
                "  {:<24} {:>6} {:>7.0} {:>4.0} % {:>9.0} {:>12.0}",
                title(rota, &load.person),
                load.shifts,
                load.hours,
                load.share * 100.0,
                load.night_hours,
                load.weekend_hours
            );
        }
        handoffs(rota, outlook);
        for warning in &outlook.warnings {
            out!("  note: {warning}");
        }
        if outlook.gaps.is_empty() {
            out!("  no gaps");
        }
    }
}

fn handoffs(rota: &rota::Rota, outlook: &Outlook) {
    let Some(schedule) = rota.schedule(&outlook.schedule) else { return };
    out!("  {} hand-offs ({}); the next:", outlook.handoffs.len(), schedule.zone);
    for handoff in outlook.handoffs.iter().take(SHOWN) {
        let night = if handoff.at_night { "  at night" } else { "" };
        let (from, to) = (title(rota, &handoff.from), title(rota, &handoff.to));
        out!("    {}  {from} to {to}{night}", wall(&schedule.zone, handoff.at));
    }
}
