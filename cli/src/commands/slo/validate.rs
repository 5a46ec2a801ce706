//! `lab slo validate`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Args;
use slo::{Clock, window::percent};

use super::{sound, spec_files};
use crate::{home::Home, terminal::out};

/// Reads the specs and judges them; says what each needs to be of use. Exits with 1 and a line a problem (file:line: field:
/// what is wrong and what would be right) where one is not sound.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab slo validate                      the specs of the checkout\n  \
    lab slo validate my-slo.yaml          one that is being written")]
pub(crate) struct Validate {
    /// Specs to check instead of dashboards/slos/*.yaml.
    files: Vec<PathBuf>,
}

impl Validate {
    /// Runs the command.
    pub(crate) fn run(self, home: &Home) -> Result<ExitCode> {
        let files = if self.files.is_empty() { spec_files(home)? } else { self.files };
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
        }
        Ok(ExitCode::SUCCESS)
    }
}
