//! An alert is four things: a rule, a promtool test, a runbook, a dashboard. None may be missing, and none may
//! refer to something that does not exist. (promtool itself checks and runs the rules: `./lab test`.)

mod automation;
mod course;
mod exercises;
mod names;
mod rules;
mod runbooks;

use std::path::{Path, PathBuf};

/// The checkout.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the checkout")
}

/// All files below `folder` whose names end with `end`, sorted by name.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let below = |path: PathBuf| if path.is_dir() { files(&path, end) } else { vec![path] };
    let wanted = |path: &PathBuf| path.to_string_lossy().ends_with(end);
    paths.into_iter().flat_map(below).filter(wanted).collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Fails with all mistakes, not only the first.
fn nothing_is(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} mistakes:\n{}", wrong.len(), wrong.join("\n"));
}
