//! The archive of the write-ahead log, and a backup from time to time: `lab backup stream`, as a part.

use std::{fs, time::Duration};

use anyhow::{Context, Result};
use supervisor::{Part, ports::Ports, probe::Probe};

use crate::home::Home;

/// Its name.
pub(crate) const BACKUP: &str = "backup";

/// The part; `every` is the time from one backup to the next.
///
/// # Errors
/// When its folder cannot be created, or the path of this program is unknown.
pub(crate) fn part(home: &Home, ports: &Ports, every: Duration) -> Result<Part> {
    let folder = home.dir.join("backup");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let ready = folder.join("ready");
    // Of an earlier run: the archive is ready when the stream of this server has arrived.
    let _ = fs::remove_file(&ready);
    let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let line = home
        .again()?
        .args(["backup", "stream", "--port"])
        .args([ports.get("postgres").to_string(), "--every".to_owned()])
        .args([humantime::format_duration(every).to_string(), "--ready".to_owned(), text(&ready)])
        .keep(["LAB_BACKUPS", "LAB_BACKUP_KEY", "S3_ENDPOINT"])
        .keep(["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"]);
    Ok(Part::new(BACKUP, line, Probe::File(ready)).after(&["postgres"]))
}
