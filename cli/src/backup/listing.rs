//! What is in a repository, as `oncall/recovery` reads it.

use anyhow::Result;
use recovery::{Backup, Catalogue, Manifest, Segment, Verdict, WalFile, wal::is_history};

use super::vault::{SEALED, Vault};

/// Ending of a segment that the server was still writing.
pub(crate) const PARTIAL: &str = ".partial";

/// What was found.
pub(crate) struct Listing {
    /// Everything that can be used.
    pub(crate) catalogue: Catalogue,
    /// What cannot, one sentence each.
    pub(crate) trouble: Vec<String>,
    /// Names of files with the history of a timeline.
    pub(crate) histories: Vec<String>,
}

/// Lists a repository; `segment_bytes` is the size of a segment of its WAL.
///
/// # Errors
/// When it cannot be listed. A single manifest that cannot be read is trouble, and no error.
pub(crate) fn list(vault: &Vault, segment_bytes: u64) -> Result<Listing> {
    let (mut backups, mut trouble) = (Vec::new(), Vec::new());
    for object in vault.store.list("backups/")? {
        let Some(folder) = object.name.strip_suffix("/manifest.json") else { continue };
        match manifest(vault, &object.name, folder) {
            Ok(manifest) => backups.push(Backup { verdict: verdict(vault, folder), manifest }),
            Err(error) => trouble.push(format!("{}: {error:#}", object.name)),
        }
    }
    let (mut wal, mut histories) = (Vec::new(), Vec::new());
    for object in vault.store.list("wal/")? {
        let Some(name) = object.name.strip_prefix("wal/").and_then(|name| name.strip_suffix(SEALED)) else {
            continue;
        };
        let (whole, partial) = name.strip_suffix(PARTIAL).map_or((name, false), |name| (name, true));
        if let Some(segment) = Segment::named(whole, segment_bytes) {
            wal.push(WalFile { segment, partial, until: object.stamp });
        } else if is_history(name) {
            histories.push(name.to_owned());
        }
    }
    Ok(Listing { catalogue: Catalogue::new(backups, wal), trouble, histories })
}

fn manifest(vault: &Vault, name: &str, folder: &str) -> Result<Manifest> {
    let manifest = Manifest::read(&vault.text(name)?).map_err(anyhow::Error::msg)?;
    if folder != format!("backups/{}", manifest.id) {
        anyhow::bail!("it is the manifest of backup {}", manifest.id);
    }
    Ok(manifest)
}

/// A verdict that cannot be read is none.
fn verdict(vault: &Vault, folder: &str) -> Option<Verdict> {
    serde_json::from_str(&vault.text(&format!("{folder}/verdict.json")).ok()?).ok()
}
