//! `lab gitops gate`: the hook of the repository. The edge itself tries its rules, with their cases and their cost.

use std::{
    fs, io,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};
use clap::Args;
use gitops::{Repository, pushed};
use release::desired::{RULES, Tree};

use crate::{parts::programs, terminal::say};

/// A push, as Git describes it on standard input.
#[derive(Debug, Args)]
pub(super) struct Gate {}

impl Gate {
    /// Ends with 1, and every reason on standard error, if the push may not be taken.
    pub(super) async fn run(self, repository: &Repository) -> Result<ExitCode> {
        let input = io::read_to_string(io::stdin()).context("cannot read standard input")?;
        let wrong = repository.gate(&pushed(&input)?, &check).await?;
        if wrong.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        say(format_args!("refused, and nothing was applied:\n  {}", wrong.join("\n  ")));
        Ok(ExitCode::FAILURE)
    }
}

/// What is wrong with the rules of a state, by their own cases. Rules that cannot be tried are not sound.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let rules: Vec<(&str, &String)> =
        tree.iter().filter_map(|(path, text)| Some((path.strip_prefix(RULES)?, text))).collect();
    if rules.is_empty() {
        return Vec::new();
    }
    tried(&rules).unwrap_or_else(|error| vec![format!("the rules cannot be tried: {error:#}")])
}

fn tried(rules: &[(&str, &String)]) -> Result<Vec<String>> {
    let folder = tempfile::tempdir()?;
    for (name, text) in rules {
        fs::write(folder.path().join(name), text)?;
    }
    let mut command = Command::new(programs::ours("edge")?);
    let output = command.arg("--waf-rules").arg(folder.path()).arg("check").output()?;
    if output.status.success() {
        return Ok(Vec::new());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines = said.lines().map(str::trim).filter(|line| !line.is_empty());
    let failures: Vec<String> = lines.map(|line| format!("{RULES}: {line}")).collect();
    Ok(if failures.is_empty() {
        vec![format!("{RULES}: `edge check` ended with {}", output.status)]
    } else {
        failures
    })
}
