//! What the part `chaos` of `lab up --chaos` runs.

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Args;
use tokio_util::sync::CancellationToken;

use crate::{
    installation::Installation,
    outside::{Desk, Keeper, Link},
    signals::{self, Hangup},
};

/// Is the way between the parts.
#[derive(Debug, Args)]
pub(super) struct Keep {
    /// A way.
    #[arg(long = "link", value_name = "FROM/TO=LISTEN,TARGET")]
    links: Vec<Link>,
    /// Written when all ways are open.
    #[arg(long, value_name = "FILE")]
    ready: PathBuf,
}

impl Keep {
    pub(super) async fn run(self, place: &Installation) -> Result<ExitCode> {
        let home = place.here("chaos")?;
        // Of an earlier run of the part.
        let _ = fs::remove_file(&self.ready);
        let stop = CancellationToken::new();
        tokio::spawn(signals::listen(
            stop.clone(),
            CancellationToken::new(),
            Hangup::Ends,
            "chaos: stopping",
        ));
        let keeper = Keeper::open(Desk::of(&home), self.links).await?;
        keeper.run(&self.ready, &stop).await?;
        Ok(ExitCode::SUCCESS)
    }
}
