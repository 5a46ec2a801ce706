//! The control room's own file: SQLite through sqlx, with a journal of everything that happened.
//!
//! One connection writes, a few read. A file has a write-ahead log and is flushed at every commit, so what was answered
//! survives a power failure; without a file everything is in memory and lost at the end.

mod copy;
mod events;
mod journal;
mod schema;
#[cfg(test)]
mod tests;
pub mod time;
mod writing;

use std::{fs, os::unix::fs::OpenOptionsExt as _, path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use incident::Id;
use sqlx::{
    ConnectOptions as _, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::Mutex;

use crate::{bus::Bus, error::Result};
pub(crate) use copy::copy;
pub(crate) use events::{events_of, put_event};
pub use journal::{journal_after, journal_last, journal_of};
use writing::Writer;
pub use writing::Writing;

/// How many connections read at once. Each has a thread, a cache and prepared statements; a query takes less than a millisecond.
const READERS: u32 = 2;
/// Page cache of the connection that writes, as SQLite writes KiB. What is not in it is in the system's cache of files.
const WRITER_CACHE: &str = "-512";
/// That of each connection that reads.
const READER_CACHE: &str = "-256";
/// Prepared statements that a connection keeps, a few KiB each; the least used one is prepared again.
const STATEMENTS: usize = 32;

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    writer: Arc<Mutex<Writer>>,
    readers: SqlitePool,
}

impl Store {
    /// Opens a file, which is created with its folder if it does not exist; without one, everything is in memory.
    ///
    /// # Errors
    /// When it cannot be written, is no SQLite file, or was written by a newer version of this program.
    pub async fn open(file: Option<&Path>) -> anyhow::Result<Self> {
        match file {
            Some(file) => {
                let options = of_file(file).with_context(|| format!("cannot write {}", file.display()))?;
                Self::connect(options).await.with_context(|| format!("cannot use {}", file.display()))
            }
            None => Self::connect("sqlite::memory:".parse()?).await,
        }
    }

    async fn connect(options: SqliteConnectOptions) -> anyhow::Result<Self> {
        let options = options.statement_cache_capacity(STATEMENTS).pragma("cache_size", WRITER_CACHE);
        let mut connection = options.connect().await?;
        schema::migrate(&mut connection).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .idle_timeout(None::<Duration>)
            .max_lifetime(None::<Duration>)
            .test_before_acquire(false)
            .connect_with(options.pragma("cache_size", READER_CACHE).pragma("query_only", "ON"))
            .await?;
        Ok(Self(Arc::new(Inner { writer: Arc::new(Mutex::new(Writer::new(connection))), readers })))
    }

    /// Begins to write, when it is this caller's turn.
    ///
    /// # Errors
    /// When the file fails.
    pub async fn begin(&self) -> Result<Writing<'_>> {
        Writing::begin(Arc::clone(&self.0.writer)).await
    }

    /// For reading only: what is committed.
    #[must_use]
    pub fn read(&self) -> &SqlitePool {
        &self.0.readers
    }

    /// A value of the program itself, made the first time that it is asked for.
    ///
    /// # Errors
    /// When the file fails.
    pub async fn setting(&self, name: &str, make: impl FnOnce() -> String) -> Result<String> {
        let mut writing = self.begin().await?;
        let known: Option<String> = sqlx::query_scalar("SELECT value FROM settings WHERE name = ?")
            .bind(name)
            .fetch_optional(&mut *writing)
            .await?;
        if let Some(value) = known {
            return Ok(value);
        }
        let value = make();
        sqlx::query("INSERT INTO settings (name, value) VALUES (?, ?)")
            .bind(name)
            .bind(value.as_str())
            .execute(&mut *writing)
            .await?;
        writing.commit(&Bus::default()).await?;
        Ok(value)
    }
}

/// Only for this user: the key that signs sessions is in it.
fn of_file(file: &Path) -> std::io::Result<SqliteConnectOptions> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    fs::OpenOptions::new().create(true).append(true).mode(0o600).open(file)?;
    Ok(SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full))
}

/// An incident as a column has it.
#[must_use]
pub const fn key(id: Id) -> i64 {
    id.0.cast_signed()
}

/// An incident from a column.
#[must_use]
pub const fn id(key: i64) -> Id {
    Id(key.cast_unsigned())
}
