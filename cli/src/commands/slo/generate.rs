//! `lab slo generate`.

use std::{fs, path::Path, process::ExitCode};

use anyhow::{Context, Error, Result};
use clap::Args;
use slo::{
    Slo,
    generate::{self, File},
};

use super::objectives;
use crate::{
    home::Home,
    terminal::{out, say},
};

/// Writes what follows from dashboards/slos: the rules and promtool tests of both clocks, docs/slos.md, and the burn windows in
/// runbooks and in Alertmanager's configuration. Writes nothing while a spec is not sound.
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
        let stale = stale(&home.root, &objectives(home)?)?;
        for file in &stale {
            if self.check {
                say(format_args!("{} differs from what the specs generate", file.path));
                continue;
            }
            let path = home.root.join(&file.path);
            let folder = path.parent().context("a generated file lies in a folder")?;
            fs::create_dir_all(folder)
                .and_then(|()| fs::write(&path, &file.text))
                .with_context(|| format!("cannot write {}", path.display()))?;
            out!("wrote {}", file.path);
        }
        if self.check && !stale.is_empty() {
            say("run `lab slo generate` and commit what it writes");
            return Ok(ExitCode::FAILURE);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The files of the checkout that differ from what the specs say, as they should be.
fn stale(root: &Path, slos: &[Slo]) -> Result<Vec<File>> {
    let read = |path: &str| fs::read_to_string(root.join(path));
    let mut stale: Vec<File> = generate::files(slos);
    stale.retain(|file| !read(&file.path).is_ok_and(|text| text == file.text));
    for part in generate::parts(slos) {
        let current = read(&part.path).with_context(|| format!("cannot read {}", part.path))?;
        let text = part.written_into(&current).map_err(Error::msg)?;
        if text != current {
            stale.push(File { path: part.path, text });
        }
    }
    Ok(stale)
}
