//! `lab slo forget`: the half of `lab slo reset` that the supervisor runs while Prometheus is down. Not for users.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::{home::Home, parts::forget};

/// Makes the deletions that `lab slo reset` requested.
#[derive(Debug, Args)]
pub(crate) struct Forget {}

impl Forget {
    /// Runs the command.
    pub(crate) async fn run(self, home: &Home) -> Result<ExitCode> {
        forget::run(home).await?;
        Ok(ExitCode::SUCCESS)
    }
}
