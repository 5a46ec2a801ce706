//! `lab slo generate`.

use std::{fs, process::ExitCode};

use anyhow::{Context, Result};
use clap::Args;

use super::objectives;
use crate::{
    home::Home,
    terminal::{out, say},
};

/// Writes everything that follows from dashboards/slos: the rules and promtool tests of both clocks, and
/// docs/slos.md. Writes nothing if a spec has problems.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    lab slo generate            after a change to a spec\n  \
    lab slo generate --check    in CI: exit 1 if a committed file differs")]
pub(crate) struct Generate {
    /// Write nothing; exit with 1 if a file differs from what the specs generate.
    #[arg(long)]
    check: bool,
}

impl Generate {
    /// Runs the command.
    pub(crate) fn run(self, home: &Home) -> Result<ExitCode> {
        let mut stale = 0;
        for file in slo::generate::files(&objectives(home)?) {
            let path = home.root.join(&file.path);
            if fs::read_to_string(&path).is_ok_and(|text| text == file.text) {
                continue;
            }
            stale += 1;
            if self.check {
                say(format_args!("{} differs from what the specs generate", file.path));
                continue;
            }
            let folder = path.parent().context("a generated file lies in a folder")?;
            fs::create_dir_all(folder)
                .and_then(|()| fs::write(&path, &file.text))
                .with_context(|| format!("cannot write {}", path.display()))?;
            out!("wrote {}", file.path);
        }
        if self.check && stale > 0 {
            say("run `lab slo generate` and commit what it writes");
            return Ok(ExitCode::FAILURE);
        }
        Ok(ExitCode::SUCCESS)
    }
}
