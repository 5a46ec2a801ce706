//! `lab chaos stop`: ends what experiments left behind, on this machine or in a cluster.

use std::{fs, process::ExitCode};

use anyhow::{Context as _, Result};
use clap::Args;

use super::{
    blow,
    engine::{Engine, FOLDER},
};
use crate::{installation::Installation, terminal::out};

/// Ends everything that experiments did from outside: to the network, to processes, and, with --context, by Chaos Mesh
/// and Litmus. `lab fix` ends faults, `lab protections SERVICE NAME on` switches a protection on, and `lab waf restore` takes
/// back rules that were pushed.
#[derive(Debug, Args)]
pub(super) struct Stop {}

impl Stop {
    pub(super) async fn run(self, place: &Installation) -> Result<ExitCode> {
        if !place.in_cluster() {
            blow::desk(place)?.take_back(None).await?;
            out!("the network between the parts is as it was");
            return Ok(ExitCode::SUCCESS);
        }
        let (cluster, root) = (place.needed_cluster()?, place.home()?.root);
        for engine in Engine::ALL {
            let folder = root.join(FOLDER).join(engine.name());
            let entries =
                fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
            for entry in entries {
                engine.end(&cluster, &entry?.path()).await?;
            }
            out!("nothing of {engine} is left");
        }
        Ok(ExitCode::SUCCESS)
    }
}
