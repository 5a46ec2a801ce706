//! `lab runbook generate`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::verify::tables;
use crate::{commands::kept, home::Home};

/// Writes the tables of docs/automation.md from docs/measured/runbooks.json: what `lab runbook verify --markdown` has measured,
/// and what is not measured yet. Needs no lab.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab runbook generate            after a change to docs/measured/runbooks.json, or a new runbook\n  \
    lab runbook generate --check    in CI: exit 1 if the page differs")]
pub(super) struct Generate {
    /// Write nothing; exit with 1 if the page differs.
    #[arg(long)]
    check: bool,
}

impl Generate {
    /// Runs the command.
    pub(super) fn run(&self, home: &Home) -> Result<ExitCode> {
        let differs = tables(&home.root, self.check)?;
        Ok(kept::finish(differs, self.check, "docs/measured/runbooks.json", "lab runbook generate"))
    }
}
