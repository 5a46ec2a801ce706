//! Golden files: committed text that must match the output of the code.

use std::path::Path;

use crate::needs::variable;

/// Compares `actual` with the file at `path`; `UPDATE_SNAPSHOTS=1`, which `just generate snapshots` sets, rewrites the file instead.
///
/// # Panics
/// When they differ, with the differing lines.
pub fn check(path: impl AsRef<Path>, actual: &str) {
    let path = path.as_ref();
    if variable("UPDATE_SNAPSHOTS").is_some() {
        path.parent().map(std::fs::create_dir_all).transpose().expect("the folder of the golden file");
        std::fs::write(path, actual).expect("the golden file can be written");
        return;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    if expected == actual {
        return;
    }
    let missing = expected.lines().filter(|line| !actual.lines().any(|other| other == *line));
    let added = actual.lines().filter(|line| !expected.lines().any(|other| other == *line));
    let lines: Vec<_> =
        missing.map(|line| format!("- {line}")).chain(added.map(|line| format!("+ {line}"))).collect();
    panic!(
        "{} has drifted (`just generate snapshots` rewrites it):\n{}",
        path.display(),
        lines[..lines.len().min(40)].join("\n")
    );
}
