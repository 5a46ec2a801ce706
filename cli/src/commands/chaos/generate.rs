//! `lab chaos generate`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::experiment::table;
use crate::{
    installation::Installation,
    terminal::{out, say},
};

/// Writes the table of docs/automation.md from drills/pairs.json: what `lab chaos pairs --automation --markdown` has measured, and
/// what is not measured yet. Needs no lab.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab chaos generate            after a change to drills/pairs.json, or a new pair\n  \
    lab chaos generate --check    in CI: exit 1 if the page differs")]
pub(super) struct Generate {
    /// Write nothing; exit with 1 if the page differs.
    #[arg(long)]
    check: bool,
}

impl Generate {
    /// Runs the command.
    pub(super) fn run(&self, place: &Installation) -> Result<ExitCode> {
        let differs = table(&place.home()?.root, self.check)?;
        if differs && self.check {
            say(
                "docs/automation.md differs from drills/pairs.json: run `lab chaos generate`, and commit what it writes",
            );
            return Ok(ExitCode::FAILURE);
        }
        if differs {
            out!("wrote docs/automation.md");
        }
        Ok(ExitCode::SUCCESS)
    }
}
