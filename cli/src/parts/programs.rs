//! Finds programs that the lab does not build: on PATH under any of their names, or where packages install them.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// A required program; if it is missing, the error says how to get it.
///
/// # Errors
/// Names the program and how to get it.
pub(crate) fn need(names: &[&str], what: &str) -> Result<PathBuf> {
    match find(names) {
        Some(path) => Ok(path),
        None => {
            bail!("{what} is not installed (looked for {}): ./lab installs what is missing", names.join(", "))
        }
    }
}

/// The first of these names that is on PATH.
pub(crate) fn find(names: &[&str]) -> Option<PathBuf> {
    names.iter().find_map(|name| which::which(name).ok())
}

/// A program of the workspace: next to this one, where cargo and the images put all of them.
///
/// # Errors
/// When the program was not built.
pub(crate) fn ours(name: &str) -> Result<PathBuf> {
    let me = std::env::current_exe()?;
    let path = me.with_file_name(name);
    if path.is_file() {
        return Ok(path);
    }
    bail!(
        "{} is not built: run ./lab with the same arguments, or cargo build --workspace --bins",
        path.display()
    )
}

/// The folder with `initdb` and `postgres` of the newest installed version: distributions keep it off PATH.
///
/// # Errors
/// When PostgreSQL is not installed.
pub(crate) fn postgres_folder() -> Result<PathBuf> {
    let on_path = which::which("initdb").ok().filter(|_| which::which("postgres").is_ok());
    if let Some(initdb) = on_path.and_then(|path| path.canonicalize().ok())
        && let Some(folder) = initdb.parent().filter(|folder| folder.join("postgres").is_file())
    {
        return Ok(folder.to_path_buf());
    }
    let places = ["/usr/lib/postgresql", "/usr", "/opt/homebrew/opt", "/usr/local/opt"];
    let mut found: Vec<(u32, PathBuf)> =
        places.iter().flat_map(|place| servers_below(Path::new(place))).collect();
    found.sort();
    match found.pop() {
        Some((_, folder)) => Ok(folder),
        None => bail!("PostgreSQL is not installed (no initdb and postgres): ./lab installs what is missing"),
    }
}

/// Folders such as `/usr/lib/postgresql/15/bin`, `/usr/pgsql-16/bin` and `…/opt/postgresql@17/bin`, with their version.
fn servers_below(place: &Path) -> Vec<(u32, PathBuf)> {
    let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = name.trim_start_matches("pgsql-").trim_start_matches("postgresql@").parse().ok()?;
            let bin = entry.path().join("bin");
            (bin.join("initdb").is_file() && bin.join("postgres").is_file()).then_some((version, bin))
        })
        .collect()
}
