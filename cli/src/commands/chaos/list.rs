//! `lab chaos list`: the experiments, and where each of them runs.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::{
    engine::Engine,
    experiment,
    library::{files, stem},
};
use crate::{
    installation::Installation,
    terminal::{json, out},
};

/// Lists the experiments, and where each of them runs.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// One experiment.
#[derive(Debug, Serialize)]
struct Listed {
    name: String,
    title: String,
    /// Whether a lab on this machine can be struck like this.
    here: bool,
    /// What it needs there.
    needs_chaos: bool,
    /// The engines that have it.
    engines: Vec<Engine>,
}

impl List {
    pub(super) fn run(self, place: &Installation) -> Result<ExitCode> {
        let root = place.home()?.root;
        let mut all = Vec::new();
        for file in files(&root)? {
            let name = stem(&file);
            let read = experiment::read_file(&file)?;
            let engines = Engine::ALL.into_iter().filter(|engine| engine.manifest(&root, &name).is_some());
            let (here, needs_chaos) = read.here();
            let (title, engines) = (read.title().to_owned(), engines.collect());
            all.push(Listed { name, title, here, needs_chaos, engines });
        }
        if self.json {
            json(&all)?;
            return Ok(ExitCode::SUCCESS);
        }
        for one in all {
            let command = if one.needs_chaos { "lab up --chaos" } else { "lab up" };
            let here = one.here.then(|| command.to_owned());
            let engines = one.engines.iter().map(ToString::to_string);
            let places: Vec<String> = here.into_iter().chain(engines).collect();
            out!("{:<18} {:<36} {}", one.name, places.join(", "), one.title);
        }
        Ok(ExitCode::SUCCESS)
    }
}
