//! Which objectives a gate asks about.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use slo::Slo;

use super::objectives_in;
use crate::installation::Installation;

/// Which objectives; all by default.
#[derive(Debug, Args)]
pub(super) struct Chosen {
    /// Only this objective; may be repeated.
    #[arg(long = "slo", value_name = "NAME")]
    slos: Vec<String>,
    /// Only the objectives that a release of this service can hurt, such as order-api.
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Folder of the specs; by default dashboards/slos of the checkout. They use metrics that the lab's services export.
    #[arg(long, value_name = "DIR")]
    specs: Option<PathBuf>,
}

impl Chosen {
    /// The objectives, in the order of their specs.
    ///
    /// # Errors
    /// When a spec has problems, there is no objective of a name, or a release of the service hurts none.
    pub(super) fn of(&self, place: &Installation) -> Result<Vec<Slo>> {
        let mut slos = objectives_in(&place.home()?, self.specs.as_deref())?;
        for name in &self.slos {
            if !slos.iter().any(|slo| slo.name == *name) {
                let known: Vec<_> = slos.iter().map(|slo| slo.name.as_str()).collect();
                bail!("no objective is called `{name}`; there are: {}", known.join(", "));
            }
        }
        slos.retain(|slo| self.slos.is_empty() || self.slos.contains(&slo.name));
        let Some(service) = &self.service else { return Ok(slos) };
        slos.retain(|slo| slo.is_hurt_by(service));
        if slos.is_empty() {
            bail!(
                "a release of `{service}` hurts none of these objectives: leave out --service to ask about all"
            );
        }
        Ok(slos)
    }
}
