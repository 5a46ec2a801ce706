//! Compiles in what pages show and drills are made of: boards, runbooks, playbooks, objectives, drills. For a
//! control room that runs without a checkout. And the rules of the firewall that drills push, and which metrics the services
//! have.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// Folder and ending of the files. Cargo compiles this crate again after a change of any file in one of these folders, so that it
/// notices new ones: what commands write there often belongs elsewhere, as measurements in `docs/measured`.
const FOLDERS: &[(&str, &str)] = &[
    ("dashboards/grafana", "json"),
    ("dashboards/slos", "yaml"),
    ("docs/playbooks", "md"),
    ("drills", "yaml"),
    ("runbooks", "md"),
    ("waf/incidents", "yaml"),
];

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo tells a build script where it is in this way too, when it runs: a checkout that was moved keeps its compiled script.
    #[allow(clippy::disallowed_methods)]
    let here = env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo did not set CARGO_MANIFEST_DIR")?;
    let root = Path::new(&here).join("../..").canonicalize()?;
    println!("cargo::rerun-if-changed=build.rs");
    let mut table = String::from("&[\n");
    for &(folder, ending) in FOLDERS {
        let path = root.join(folder);
        println!("cargo::rerun-if-changed={}", path.display());
        for (name, file) in files(&path, ending).map_err(|error| format!("{}: {error}", path.display()))? {
            println!("cargo::rerun-if-changed={}", file.display());
            writeln!(table, "    ({folder:?}, {name:?}, include_str!({:?})),", file.display().to_string())?;
        }
    }
    table.push_str("]\n");
    // Cargo tells a build script where to write in this way only.
    #[allow(clippy::disallowed_methods)]
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: cargo runs this file")?;
    fs::write(Path::new(&out).join("content.rs"), table)?;
    fs::write(Path::new(&out).join("runbooks.rs"), runbooks(&root)?)?;
    fs::write(Path::new(&out).join("scrapes.rs"), scrapes(&root)?)?;
    Ok(())
}

/// Runbooks that run, beside those that are read.
fn runbooks(root: &Path) -> Result<String, Box<dyn Error>> {
    let mut table = String::from("&[\n");
    for (name, file) in files(&root.join("runbooks"), "yaml")? {
        println!("cargo::rerun-if-changed={}", file.display());
        writeln!(table, "    ({name:?}, include_str!({:?})),", file.display().to_string())?;
    }
    table.push_str("]\n");
    Ok(table)
}

/// The golden scrapes of the services: which metrics exist.
fn scrapes(root: &Path) -> Result<String, Box<dyn Error>> {
    let services = root.join("services");
    let mut table = String::from("&[\n");
    let mut folders = fs::read_dir(&services)?.collect::<std::io::Result<Vec<_>>>()?;
    folders.sort_by_key(fs::DirEntry::file_name);
    for folder in folders {
        let file = folder.path().join("tests/api/snapshots/metrics.txt");
        if file.is_file() {
            println!("cargo::rerun-if-changed={}", file.display());
            let service = folder.file_name().to_string_lossy().into_owned();
            writeln!(table, "    ({service:?}, include_str!({:?})),", file.display().to_string())?;
        }
    }
    table.push_str("]\n");
    Ok(table)
}

/// Names without their ending, and paths, in the order of the names.
fn files(folder: &Path, ending: &str) -> std::io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
        if let Some(name) = name.filter(|_| path.extension().is_some_and(|found| found == ending)) {
            found.push((name, path));
        }
    }
    found.sort();
    Ok(found)
}
