//! The experiments of the checkout, by name.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde::Serialize;

use super::{
    engine::{Engine, FOLDER},
    experiment,
};
use crate::{
    installation::Installation,
    terminal::{json, out},
};

/// Where experiments are: from outside, and by the faults and rules of the services.
const FOLDERS: [&str; 2] = [FOLDER, "drills/experiments"];

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

/// The file of an experiment: a path, or a name.
///
/// # Errors
/// When there is no such file, with the names that there are.
pub(super) fn find(place: &Installation, wanted: &str) -> Result<PathBuf> {
    let path = PathBuf::from(wanted);
    if path.extension().is_some() || path.components().count() > 1 {
        return Ok(path);
    }
    let all = files(&place.home()?.root)?;
    let names: Vec<String> = all.iter().map(|file| stem(file)).collect();
    match all.into_iter().find(|file| stem(file) == wanted) {
        Some(file) => Ok(file),
        None => bail!("no experiment is called `{wanted}`; there are: {}", names.join(", ")),
    }
}

/// All files of experiments, by name.
pub(super) fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in FOLDERS.map(|folder| root.join(folder)) {
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                files.push(path);
            }
        }
    }
    files.sort_by_key(|file| stem(file));
    Ok(files)
}

/// The name of a file without its extension.
pub(super) fn stem(file: &Path) -> String {
    file.file_stem().map_or_else(|| "experiment".to_owned(), |stem| stem.to_string_lossy().into_owned())
}
