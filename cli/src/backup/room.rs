//! The control room's file: copied while it is written, by SQLite itself.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::NamedTempFile;

/// Its name in a backup, before its endings.
pub(crate) const ROOM: &str = "room.db";

/// A consistent copy; `None` if there is no file.
///
/// # Errors
/// When SQLite refuses, or the copy is damaged.
pub(crate) async fn copy(file: &Path) -> Result<Option<NamedTempFile>> {
    if !file.exists() {
        return Ok(None);
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    let copy = tempfile::Builder::new().prefix("copy-").tempfile_in(folder);
    let copy = copy.with_context(|| format!("cannot write in {}", folder.display()))?;
    // An existing empty file is what VACUUM INTO takes; its content is as of one transaction.
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(false);
    let mut connection =
        options.connect().await.with_context(|| format!("cannot open {}", file.display()))?;
    let copied = sqlx::query("VACUUM INTO ?").bind(copy.path().to_string_lossy().into_owned());
    copied.execute(&mut connection).await.with_context(|| format!("cannot copy {}", file.display()))?;
    connection.close().await?;
    check(copy.path()).await?;
    Ok(Some(copy))
}

/// Checks a file; returns the number of entries in its journal.
///
/// # Errors
/// When it is damaged, or no file of a control room.
pub(crate) async fn check(file: &Path) -> Result<u64> {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(false);
    let mut connection =
        options.connect().await.with_context(|| format!("cannot open {}", file.display()))?;
    let found = look(&mut connection).await;
    connection.close().await?;
    found
}

async fn look(connection: &mut SqliteConnection) -> Result<u64> {
    let verdict: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut *connection).await?;
    if verdict != "ok" {
        bail!("the control room's file is damaged: {verdict}");
    }
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await?;
    if version == 0 {
        bail!("it is not the file of a control room");
    }
    let entries: i64 = sqlx::query_scalar("SELECT count(*) FROM journal").fetch_one(connection).await?;
    Ok(u64::try_from(entries).unwrap_or_default())
}

/// Puts a checked copy in the place of the control room's file. The control room must not be running.
///
/// # Errors
/// When it cannot be put there; the old file is there then.
pub(crate) fn put(copy: &Path, file: &Path) -> Result<()> {
    if !copy.is_file() {
        bail!("no file of the control room was restored in {}", copy.display());
    }
    let aside = file.with_extension("db.before");
    // With its log: that belongs to the old file, and would be applied to the new one.
    let of = |file: &Path, ending: &str| format!("{}{ending}", file.display());
    for ending in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(of(&aside, ending));
        if Path::new(&of(file, ending)).exists() {
            fs::rename(of(file, ending), of(&aside, ending))
                .with_context(|| format!("cannot put {} aside", file.display()))?;
        }
    }
    fs::rename(copy, file).with_context(|| format!("cannot write {}", file.display()))
}
