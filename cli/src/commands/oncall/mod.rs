//! `lab oncall …`: who is on call, from `oncall.yaml`. Thin: the logic and its tests are in the crate `rota`; this module
//! reads the file and prints. Needs no lab.

mod calendar;
mod check;
mod now;
mod show;

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use rota::{Rota, Schedule, Zone};

use crate::installation::Installation;

/// `lab oncall`.
#[derive(Debug, Args)]
pub(crate) struct OncallCommand {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show who is on call.
    Now(now::Now),
    /// List shifts.
    Show(show::Show),
    /// Check the file; show gaps, balance, nights and weekends, and hand-offs of the next 52 weeks.
    Check(check::Check),
    /// Export shifts as an iCalendar.
    Ical(calendar::Ical),
}

impl OncallCommand {
    /// Runs the command.
    pub(crate) fn run(self, place: &Installation) -> Result<ExitCode> {
        match self.command {
            Command::Now(now) => now.run(place),
            Command::Show(show) => show.run(place),
            Command::Check(check) => check.run(place),
            Command::Ical(ical) => ical.run(place),
        }
    }
}

/// Which file, and which time counts as now.
#[derive(Debug, Args)]
struct Place {
    /// File with people, schedules and policies; by default oncall.yaml of the checkout.
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
    /// Look at another time than now, such as 2026-12-24T20:00:00Z.
    #[arg(long, value_name = "TIME")]
    at: Option<DateTime<Utc>>,
}

impl Place {
    /// Reads the file.
    ///
    /// # Errors
    /// Lists every problem, one per line, with file, line and field.
    fn rota(&self, place: &Installation) -> Result<Rota> {
        let path = match &self.file {
            Some(path) => path.clone(),
            None => place.home()?.root.join("oncall.yaml"),
        };
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        rota::read(&path.display().to_string(), &text)
            .map_err(|problems| anyhow::anyhow!("the file has problems:\n{problems}"))
    }

    fn now(&self) -> DateTime<Utc> {
        self.at.unwrap_or_else(Utc::now)
    }
}

/// The schedule of this name, or all of them.
fn chosen<'r>(rota: &'r Rota, name: Option<&str>) -> Result<Vec<&'r Schedule>> {
    let Some(name) = name else { return Ok(rota.schedules.iter().collect()) };
    match rota.schedule(name) {
        Some(schedule) => Ok(vec![schedule]),
        None => {
            let known: Vec<&str> = rota.schedules.iter().map(|schedule| schedule.name.as_str()).collect();
            bail!("no schedule is called `{name}`; there are: {}", known.join(", "))
        }
    }
}

/// Name for people.
fn title<'r>(rota: &'r Rota, name: &'r str) -> &'r str {
    rota.people.get(name).map_or(name, |person| person.title.as_str())
}

/// Wall time in a zone.
fn wall(zone: &Zone, at: DateTime<Utc>) -> String {
    zone.local(at).format("%a %Y-%m-%d %H:%M").to_string()
}
