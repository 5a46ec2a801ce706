//! What a lab on this machine looks like: who listens where, which switches are open, who may read its files.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use anyhow::Result;
use baseline::{
    Facts,
    facts::{File, Listener, Switch, sockets},
};
use supervisor::state::{LabState, PartState};

use crate::home::Home;

/// How long a switch may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks; `None` if no lab runs.
///
/// # Errors
/// When the state of the lab cannot be read.
pub(super) async fn look(home: &Home) -> Result<Option<Facts>> {
    let Some(state) = LabState::load(&home.dir)? else { return Ok(None) };
    Ok(Some(Facts {
        // Only Linux says who has a socket without privileges.
        listeners: Path::new("/proc/self/net/tcp").exists().then(|| listeners(&state.parts)),
        files: Some(files(home)),
        switches: Some(switches(&state.parts).await?),
        ..Facts::default()
    }))
}

fn listeners(parts: &[PartState]) -> Vec<Listener> {
    let of_part = |part: &PartState| {
        let pid = part.process.as_ref().map(|process| process.pid)?;
        let own = inodes(pid);
        let tables = ["tcp", "tcp6"]
            .map(|table| fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default());
        let listening =
            tables.iter().flat_map(|table| sockets(table)).filter(|(inode, ..)| own.contains(inode));
        let named = |(_, address, port)| Listener { part: part.name.clone(), address, port };
        Some(listening.map(named).collect::<Vec<_>>())
    };
    parts.iter().filter_map(of_part).flatten().collect()
}

/// The sockets that a process has open.
fn inodes(pid: u32) -> BTreeSet<u64> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let targets = entries.filter_map(|entry| fs::read_link(entry.path()).ok());
    targets
        .filter_map(|target| target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok())
        .collect()
}

/// The lab's folder, and its secrets.
fn files(home: &Home) -> Vec<File> {
    let secrets = home.dir.join("secrets");
    let inside = fs::read_dir(&secrets).into_iter().flatten().flatten().map(|entry| entry.path());
    let paths = [home.dir.to_path_buf(), secrets.clone()].into_iter().chain(inside);
    let look = |path: std::path::PathBuf| {
        let mode = fs::metadata(&path).ok()?.permissions().mode() & 0o7777;
        let inside = path.strip_prefix(&*home.dir).unwrap_or(&path);
        let name = if inside.as_os_str().is_empty() { Path::new(".") } else { inside };
        Some(File { path: name.display().to_string(), mode })
    };
    paths.filter_map(look).collect()
}

/// Asks each switch without a token.
async fn switches(parts: &[PartState]) -> Result<Vec<Switch>> {
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
    let mut switches = Vec::new();
    for part in parts {
        let Some(admin) = &part.admin else { continue };
        for path in ["/faults", "/protections"] {
            let answer = client.get(format!("{}{path}", admin.trim_end_matches('/'))).send().await;
            // What is not there cannot be switched.
            let open = answer.is_ok_and(|answer| answer.status().is_success());
            switches.push(Switch { part: part.name.clone(), path: path.to_owned(), open });
        }
    }
    Ok(switches)
}
