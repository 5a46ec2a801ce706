//! `lab oncall show`.

use std::process::ExitCode;

use anyhow::Result;
use chrono::TimeDelta;
use clap::Args;
use rota::schedule::Reason;
use serde_json::{Map, Value};

use super::{Place, chosen, title, wall};
use crate::{
    installation::Installation,
    terminal::{json, out},
};

/// The shifts after the layers, overrides, temporary shifts and the fallback have been put together. Times are wall
/// times in the schedule's zone.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab oncall show\n  \
    lab oncall show --schedule second-line --days 90")]
pub(super) struct Show {
    #[command(flatten)]
    place: Place,
    /// Only this schedule.
    #[arg(long, value_name = "NAME")]
    schedule: Option<String>,
    /// How many days to show.
    #[arg(long, value_name = "N", default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=732))]
    days: u16,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Show {
    /// Runs the command.
    pub(super) fn run(self, place: &Installation) -> Result<ExitCode> {
        let (rota, now) = (self.place.rota(place)?, self.place.now());
        let until = now + TimeDelta::days(i64::from(self.days));
        let mut all = Map::new();
        for schedule in chosen(&rota, self.schedule.as_deref())? {
            let shifts = schedule.shifts(now, until);
            if self.json {
                all.insert(schedule.name.clone(), serde_json::to_value(&shifts)?);
                continue;
            }
            out!("{} ({})", schedule.name, schedule.zone);
            for shift in &shifts {
                let why = match &shift.primary.reason {
                    Reason::Layer(layer) => layer.clone(),
                    Reason::Override(layer) => format!("{layer}, override"),
                    Reason::Temporary => "temporary".to_owned(),
                    Reason::Fallback => "fallback: no layer covers this".to_owned(),
                };
                let (from, until) = (wall(&schedule.zone, shift.from), wall(&schedule.zone, shift.until));
                out!("  {from} to {until}  {} ({why})", title(&rota, &shift.primary.person));
            }
        }
        if self.json {
            json(&Value::Object(all))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
