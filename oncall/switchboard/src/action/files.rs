//! Temporary files that a service has left in its data folder: spool files and checkpoints, known by the ends
//! of their names. Its own data have other names and are never touched.

use std::{fs, io, path::Path};

use super::Outcome;
use crate::{Error, Place, Result, Tools};

/// How the names of temporary files end.
const ENDS: [&str; 2] = [".tmp", ".checkpoint"];
/// Names that are shown.
const SHOWN: usize = 5;

pub(super) fn act(place: &Place, tools: &Tools, target: &str, dry: bool) -> Result<Vec<Outcome>> {
    let what = format!("the files of {target} cannot be removed");
    let elsewhere =
        format!("elsewhere restart {target}: at its start a process removes what it has left behind");
    if let Place::Kubernetes(_) = place {
        return Err(Error::not_here(what, elsewhere));
    }
    let lab = tools.lab(&what, &elsewhere)?;
    let outcome = |name: &str| match left(&lab.dir.join("data").join(name), dry) {
        Ok(files) => Outcome::good(name, words(&files, dry)),
        Err(error) => Outcome::bad(name, format!("its data folder: {error}")),
    };
    Ok(lab.state()?.services(target)?.iter().map(|part| outcome(&part.name)).collect())
}

/// Names and sizes of the temporary files in a folder, which are removed unless it is a dry run.
fn left(folder: &Path, dry: bool) -> io::Result<Vec<(String, u64)>> {
    let mut files = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // What a link points to is somebody else's.
        if !ENDS.iter().any(|end| name.ends_with(end)) || !entry.file_type()?.is_file() {
            continue;
        }
        let size = entry.metadata()?.len();
        if !dry {
            fs::remove_file(entry.path())?;
        }
        files.push((name, size));
    }
    files.sort();
    Ok(files)
}

fn words(files: &[(String, u64)], dry: bool) -> String {
    if files.is_empty() {
        return "no temporary file is in its data folder: nothing to remove".to_owned();
    }
    let bytes: u64 = files.iter().map(|(_, size)| size).sum();
    let names: Vec<&str> = files.iter().take(SHOWN).map(|(name, _)| name.as_str()).collect();
    let more = if files.len() > names.len() { ", …" } else { "" };
    let noun = if files.len() == 1 { "file" } else { "files" };
    let verb = if dry { "would remove" } else { "removed" };
    format!("{verb} {} {noun} of {} KiB: {}{more}", files.len(), bytes.div_ceil(1024), names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_temporary_files_go_and_a_dry_run_removes_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        for (name, size) in [("spool-17.tmp", 3000), ("order-api-9101.checkpoint", 10), ("orders.db", 5)] {
            fs::write(path.join(name), vec![0; size]).unwrap();
        }
        fs::create_dir(path.join("folder.tmp")).unwrap();
        std::os::unix::fs::symlink(path.join("orders.db"), path.join("link.tmp")).unwrap();
        let would = left(path, true).unwrap();
        assert_eq!(
            words(&would, true),
            "would remove 2 files of 3 KiB: order-api-9101.checkpoint, spool-17.tmp"
        );
        assert_eq!(left(path, false).unwrap(), would, "the dry run left them");
        let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name());
        let mut rest: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
        rest.sort();
        assert_eq!(rest, ["folder.tmp", "link.tmp", "orders.db"]);
        assert!(words(&left(path, false).unwrap(), false).contains("nothing to remove"));
        assert_eq!(left(&path.join("nothing"), false).unwrap(), []);
    }
}
