//! `lab chaos generate`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::experiment::table;
use crate::{commands::kept, installation::Installation};

/// Writes the table of docs/automation.md from docs/measured/pairs.json: what `lab chaos pairs --automation --markdown` has
/// measured, and what is not measured yet. Needs no lab.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab chaos generate            after a change to docs/measured/pairs.json, or a new pair\n  \
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
        Ok(kept::finish(differs, self.check, "docs/measured/pairs.json", "lab chaos generate"))
    }
}
