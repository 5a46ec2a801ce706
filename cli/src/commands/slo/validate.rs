//! `lab slo validate`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use chrono::Utc;
use clap::Args;
use slo::{Clock, window::percent};

use super::{committed, sound, spec_files};
use crate::{
    home::Home,
    terminal::{out, say},
};

/// Reads and checks the specs, and prints how much traffic each needs. If one has problems, exits with 1 and prints
/// one line per problem (file:line: field: what is wrong and what would be right). A review that is missing or has
/// passed is only a warning.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab slo validate                      the specs of the checkout\n  \
    lab slo validate my-slo.yaml          a spec that you are writing")]
pub(crate) struct Validate {
    /// Specs to check; by default dashboards/slos/*.yaml.
    files: Vec<PathBuf>,
}

impl Validate {
    /// Runs the command.
    pub(crate) fn run(self, home: &Home) -> Result<ExitCode> {
        let files = if self.files.is_empty() { spec_files(&committed(home))? } else { self.files };
        for slo in sound(home, &files)? {
            out!(
                "{}: {} over {} ({} on the lab clock), alert {}",
                slo.name,
                percent(slo.objective),
                slo.period.nominal(),
                Clock::Lab.period(&slo),
                slo.alert()
            );
            for note in slo::lint::notes(&slo) {
                out!("  {note}");
            }
            for warning in slo::lint::warnings(&slo, Utc::now().date_naive()) {
                say(format_args!("warning: {warning}"));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
