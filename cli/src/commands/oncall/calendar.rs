//! `lab oncall ical`.

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use chrono::TimeDelta;
use clap::Args;
use rota::ical::{Export, calendar};

use super::{Place, chosen};
use crate::{
    installation::Installation,
    terminal::{block, out},
};

/// One event per shift, in UTC, with an id that stays the same, so that importing again updates events.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab oncall ical --output oncall.ics\n  \
    lab oncall ical --schedule first-line --person ada --reminder 30 --output ada.ics")]
pub(super) struct Ical {
    #[command(flatten)]
    place: Place,
    /// Which schedule; may be left out if there is only one.
    #[arg(long, value_name = "NAME")]
    schedule: Option<String>,
    /// Only the shifts of this person.
    #[arg(long, value_name = "NAME")]
    person: Option<String>,
    /// How many days to export.
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=732))]
    days: u16,
    /// Remind this many minutes before a shift begins.
    #[arg(long, value_name = "MINUTES")]
    reminder: Option<u32>,
    /// Write to this file; otherwise the calendar is printed.
    #[arg(long, value_name = "PATH")]
    output: Option<PathBuf>,
}

impl Ical {
    /// Runs the command.
    pub(super) fn run(self, place: &Installation) -> Result<ExitCode> {
        let (rota, now) = (self.place.rota(place)?, self.place.now());
        let schedules = chosen(&rota, self.schedule.as_deref())?;
        let [schedule] = schedules.as_slice() else {
            let known: Vec<&str> = schedules.iter().map(|schedule| schedule.name.as_str()).collect();
            bail!("a calendar has one schedule: choose it with --schedule, one of {}", known.join(", "));
        };
        if let Some(name) = self.person.as_ref().filter(|name| !rota.people.contains_key(*name)) {
            let known: Vec<&str> = rota.people.keys().map(String::as_str).collect();
            bail!("nobody is called `{name}`; there are: {}", known.join(", "));
        }
        let export = Export {
            person: self.person.as_deref(),
            from: now,
            until: now + TimeDelta::days(i64::from(self.days)),
            now,
            reminder: self.reminder,
        };
        let text = calendar(&rota, schedule, &export);
        match &self.output {
            Some(path) => {
                fs::write(path, &text).with_context(|| format!("cannot write {}", path.display()))?;
                out!("wrote {} shifts to {}", text.matches("BEGIN:VEVENT").count(), path.display());
            }
            // A terminal would show the carriage returns that the format requires.
            None => block(&text.replace("\r\n", "\n")),
        }
        Ok(ExitCode::SUCCESS)
    }
}
