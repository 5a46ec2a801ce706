//! One transaction that writes. There is one at a time, so what it reads stays true until it commits.
//!
//! A commit is not cut short when the request that asked for it goes away: memory and the file would then disagree.

use std::{
    marker::PhantomData,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use incident::Id;
use serde::Serialize;
use sqlx::SqliteConnection;
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMutexGuard},
};

use super::{Store, key, time};
use crate::{
    bus::{Bus, Kind, Notice},
    error::{Error, Result},
};

/// The connection that writes.
pub(super) struct Writer {
    connection: SqliteConnection,
    /// Whether a transaction may be open on it.
    open: bool,
}

impl Writer {
    pub(super) const fn new(connection: SqliteConnection) -> Self {
        Self { connection, open: false }
    }

    async fn roll_back(&mut self) {
        if self.open {
            // Fails only if there is nothing to roll back any more.
            let _ = sqlx::query("ROLLBACK").execute(&mut self.connection).await;
            self.open = false;
        }
    }
}

/// A transaction that writes; rolls back when it is dropped. Dereferences to the connection, for statements.
///
/// Read through it while you have it, and not through [`Store::read`]: that does not see what it has written, and a store in
/// memory would wait for it forever.
#[must_use = "it rolls back when it is dropped"]
pub struct Writing<'s> {
    open: Open,
    store: PhantomData<&'s Store>,
}

struct Open {
    writer: OwnedMutexGuard<Writer>,
    notices: Vec<Arc<Notice>>,
    after: Vec<Box<dyn FnOnce() + Send>>,
}

impl Writing<'_> {
    /// Waits for its turn.
    pub(super) async fn begin(writer: Arc<Mutex<Writer>>) -> Result<Self> {
        let writer = writer.lock_owned().await;
        let mut open = Open { writer, notices: Vec::new(), after: Vec::new() };
        open.writer.roll_back().await;
        open.writer.open = true;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut open.writer.connection).await?;
        Ok(Self { open, store: PhantomData })
    }

    /// Adds a row to the journal; listeners are told when it is committed.
    ///
    /// # Errors
    /// When the file fails.
    pub async fn journal(
        &mut self,
        at: DateTime<Utc>,
        kind: Kind,
        incident: Option<Id>,
        sealed: bool,
        data: &impl Serialize,
    ) -> Result<()> {
        let (name, data): (&'static str, _) = (kind.into(), serde_json::to_value(data)?);
        let row =
            sqlx::query("INSERT INTO journal (at, kind, incident, sealed, data) VALUES (?, ?, ?, ?, ?)")
                .bind(time::micros(at))
                .bind(name)
                .bind(incident.map(key))
                .bind(sealed)
                .bind(data.to_string())
                .execute(&mut **self)
                .await?;
        // As a reader of the journal gets it.
        let at = time::from_micros(time::micros(at));
        let notice = Notice { seq: row.last_insert_rowid(), at, kind, incident, sealed, data };
        self.open.notices.push(Arc::new(notice));
        Ok(())
    }

    /// Does something once it is committed, before listeners are told and before anybody else can write.
    pub fn after(&mut self, then: impl FnOnce() + Send + 'static) {
        self.open.after.push(Box::new(then));
    }

    /// Commits, then tells listeners of every row of the journal, in order.
    ///
    /// # Errors
    /// When the file fails; nothing has changed then.
    pub async fn commit(self, bus: &Bus) -> Result<Vec<Arc<Notice>>> {
        match tokio::spawn(self.open.commit(bus.clone())).await {
            Ok(result) => Ok(result?),
            Err(error) => Err(Error::Elsewhere(format!("the commit was cut short: {error}"))),
        }
    }
}

impl Open {
    async fn commit(mut self, bus: Bus) -> sqlx::Result<Vec<Arc<Notice>>> {
        sqlx::query("COMMIT").execute(&mut self.writer.connection).await?;
        self.writer.open = false;
        for then in std::mem::take(&mut self.after) {
            then();
        }
        let notices = std::mem::take(&mut self.notices);
        for notice in &notices {
            bus.tell(Arc::clone(notice));
        }
        Ok(notices)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // Without a runtime the process ends, and SQLite forgets what was not committed.
        if self.writer.open
            && let Ok(runtime) = Handle::try_current()
        {
            let writer = Arc::clone(OwnedMutexGuard::mutex(&self.writer));
            runtime.spawn(async move {
                // A writer that began first has rolled back already; then this does nothing.
                let mut writer = writer.lock().await;
                writer.roll_back().await;
            });
        }
    }
}

impl Deref for Writing<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.open.writer.connection
    }
}

impl DerefMut for Writing<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.open.writer.connection
    }
}
