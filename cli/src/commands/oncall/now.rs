//! `lab oncall now`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use super::{Place, title, wall};
use crate::{
    installation::Installation,
    terminal::{json as print_json, out},
};

/// The primary of each schedule, since when and until when, and who is on call in addition. Times are wall times in the
/// schedule's zone.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab oncall now\n  \
    lab oncall now --at 2026-12-24T20:00:00Z\n  \
    lab oncall now --json | jq -r '.[] | select(.schedule == \"first-line\") | .primary'")]
pub(super) struct Now {
    #[command(flatten)]
    place: Place,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Now {
    /// Runs the command.
    pub(super) fn run(self, place: &Installation) -> Result<ExitCode> {
        let (rota, now) = (self.place.rota(place)?, self.place.now());
        let mut all: Vec<Value> = Vec::new();
        for schedule in &rota.schedules {
            let Some(shift) = schedule.shift(now) else { continue };
            let added = schedule.added(now);
            if self.json {
                all.push(json!({
                    "schedule": schedule.name,
                    "primary": shift.primary.person,
                    "since": shift.from,
                    "until": shift.until,
                    "reason": shift.primary.reason,
                    "added": added,
                }));
                continue;
            }
            let name = title(&rota, &shift.primary.person);
            let (since, until) = (wall(&schedule.zone, shift.from), wall(&schedule.zone, shift.until));
            out!("{:<16} {name}  since {since}, until {until} ({})", schedule.name, schedule.zone);
            for person in added {
                out!("{:<16} {}  in addition", "", title(&rota, &person));
            }
        }
        if self.json {
            print_json(&all)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
