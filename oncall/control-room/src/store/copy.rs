//! A copy of the file, made by SQLite itself while the file is written.

use std::{fs::File, path::Path};

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::error::Result;

/// A consistent copy of a store's file, checked. It is made beside the file, and has no name any more: nothing is left when it
/// is closed.
///
/// # Errors
/// When there is no room for it, or the file is damaged.
pub(crate) async fn copy(file: &Path) -> Result<File> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let copy = tempfile::Builder::new().prefix("copy-").tempfile_in(folder).map_err(sqlx::Error::Io)?;
    let mut connection = open(file).await?;
    // An existing empty file is what VACUUM INTO takes; its content is as of one transaction.
    let copied = sqlx::query("VACUUM INTO ?").bind(copy.path().to_string_lossy().into_owned());
    let copied = copied.execute(&mut connection).await;
    connection.close().await?;
    copied?;
    check(copy.path()).await?;
    Ok(copy.into_file())
}

async fn check(copy: &Path) -> Result<()> {
    let mut connection = open(copy).await?;
    let verdict: std::result::Result<String, sqlx::Error> =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await;
    connection.close().await?;
    match verdict?.as_str() {
        "ok" => Ok(()),
        damage => Err(sqlx::Error::Protocol(format!("it is damaged: {damage}")).into()),
    }
}

async fn open(file: &Path) -> std::result::Result<SqliteConnection, sqlx::Error> {
    SqliteConnectOptions::new().filename(file).create_if_missing(false).connect().await
}
