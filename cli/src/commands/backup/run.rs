//! `lab backup run`.

use std::process::ExitCode;

use anyhow::Result;
use chassis_text::mib;
use clap::Args;

use crate::{
    backup::Engine,
    terminal::{json, out},
};

/// The server keeps working. Without `lab up --backups`, the backup can restore only the moment at which it ended.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// Print the manifest as JSON.
    #[arg(long)]
    json: bool,
}

impl Run {
    pub(super) async fn run(self, engine: &Engine) -> Result<ExitCode> {
        let manifest = engine.back_up().await?;
        if self.json {
            json(&manifest)?;
            return Ok(ExitCode::SUCCESS);
        }
        let seconds = (manifest.ended - manifest.began).to_std().unwrap_or_default().as_secs_f64();
        let content: u64 = manifest.files.iter().map(|file| file.content_bytes).sum();
        out!(
            "backup {}: {} MiB of {} MiB in {seconds:.1} s, in {}",
            manifest.id,
            mib(manifest.bytes()),
            mib(content),
            engine.vault.store.place()
        );
        out!("not verified yet: lab backup verify");
        Ok(ExitCode::SUCCESS)
    }
}
