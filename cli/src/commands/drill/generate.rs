//! `lab drill generate`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::validity;
use crate::{
    commands::drill_bench,
    home::Home,
    terminal::{out, say},
};

/// Writes the tables of docs/validity.md and docs/agents.md from docs/measured/validity.json and docs/measured/bench.json: what
/// `lab drill validity --keep` and `lab drill bench --keep` have found, and what is not measured yet. Needs no lab.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab drill generate            after a change to one of the files, or a new drill\n  \
    lab drill generate --check    in CI: exit 1 if a page differs")]
pub(super) struct Generate {
    /// Write nothing; exit with 1 if a page differs.
    #[arg(long)]
    check: bool,
}

impl Generate {
    /// Runs the command.
    pub(super) fn run(&self, home: &Home) -> Result<ExitCode> {
        let pages = [
            ("docs/validity.md", validity::kept::FILE, validity::kept::table(&home.root, self.check)?),
            ("docs/agents.md", drill_bench::KEPT, drill_bench::table(&home.root, self.check)?),
        ];
        let mut fine = true;
        for (page, file, differs) in pages {
            match (differs, self.check) {
                (true, true) => {
                    say(format_args!(
                        "{page} differs from {file}: run `lab drill generate`, and commit what it writes"
                    ));
                    fine = false;
                }
                (true, false) => out!("wrote {page}"),
                (false, _) => {}
            }
        }
        Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
