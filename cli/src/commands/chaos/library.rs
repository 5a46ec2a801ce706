//! The experiments of the checkout, by name.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use super::engine::FOLDER;
use crate::installation::Installation;

/// Where experiments are: from outside, and by the faults and rules of the services.
const FOLDERS: [&str; 2] = [FOLDER, "drills/experiments"];

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
