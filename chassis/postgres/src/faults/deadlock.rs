//! `db-deadlock`: the caller's transaction and one of our own lock two rows of the main table in opposite order.
//!
//! PostgreSQL looks for a deadlock when a session has waited for `deadlock_timeout`, and ends the session that finds it. So
//! the caller's waits first and ours joins halfway through the timeout: the caller's finds the deadlock and gets `40P01`.
//! The server sees only what two transactions of a service would do: no query of its lock table.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::{sync::Semaphore, time::sleep};
use uuid::Uuid;

use super::{Connection, DbError};

/// Concurrent deadlocks of one process; further transactions pass. Each blocks two rows for a second.
const AT_ONCE: usize = 4;
/// Longest wait of the other transaction: it gets its row when the caller's ends.
const LOCK_TIMEOUT: &str = "5s";
/// When the other transaction joins: half of PostgreSQL's default `deadlock_timeout` after the caller.
const HALF_WAY: Duration = Duration::from_millis(500);
/// On a slow machine ours may wait first and lose. Then try again.
const ATTEMPTS: u32 = 3;

/// The other transactions.
pub(super) struct Rivals {
    options: PgConnectOptions,
    free: Semaphore,
}

impl Rivals {
    pub(super) fn new(options: PgConnectOptions) -> Self {
        Self { options: options.options([("lock_timeout", LOCK_TIMEOUT)]), free: Semaphore::new(AT_ONCE) }
    }

    /// Deadlocks the caller's transaction, which loses. Does nothing if the table does not have two rows to lock.
    pub(super) async fn deadlock(&self, caller: &mut Connection, table: &str) -> Result<(), DbError> {
        let Ok(_one) = self.free.try_acquire() else { return Ok(()) };
        for _ in 0..ATTEMPTS {
            let Ok(conn) = PgConnection::connect_with(&self.options).await else { return Ok(()) };
            // Newest rows first: a service works on those.
            let lock_one = format!("SELECT id FROM {table} ORDER BY id DESC LIMIT 1 FOR UPDATE SKIP LOCKED");
            let ours: Option<Uuid> =
                sqlx::query_scalar(AssertSqlSafe(lock_one)).fetch_optional(&mut *caller).await?;
            let Some(ours) = ours else { return Ok(()) };
            let mut rival = Rival { conn, table };
            let Ok(Some(theirs)) = rival.lock_another_than(ours).await else { return Ok(()) };

            let lock = AssertSqlSafe(format!("SELECT id FROM {table} WHERE id = $1 FOR UPDATE"));
            let wait = sqlx::query(lock).bind(theirs).execute(&mut *caller);
            let (lost, _) = tokio::join!(wait, rival.cross(ours));
            lost?;
        }
        Ok(())
    }
}

/// One other transaction. Dropping it, or a failure in it, closes its connection, which rolls back.
struct Rival<'t> {
    conn: PgConnection,
    table: &'t str,
}

impl Rival<'_> {
    async fn lock_another_than(&mut self, row: Uuid) -> sqlx::Result<Option<Uuid>> {
        sqlx::raw_sql("BEGIN").execute(&mut self.conn).await?;
        let lock = format!(
            "SELECT id FROM {} WHERE id <> $1 ORDER BY id DESC LIMIT 1 FOR UPDATE SKIP LOCKED",
            self.table
        );
        sqlx::query_scalar(AssertSqlSafe(lock)).bind(row).fetch_optional(&mut self.conn).await
    }

    /// Completes the cycle while the caller waits, and releases its locks when one of them has lost.
    async fn cross(mut self, row: Uuid) -> sqlx::Result<()> {
        sleep(HALF_WAY).await;
        let lock = AssertSqlSafe(format!("SELECT id FROM {} WHERE id = $1 FOR UPDATE", self.table));
        // Either way, only the rollback is left.
        let _ = sqlx::query(lock).bind(row).execute(&mut self.conn).await;
        sqlx::raw_sql("ROLLBACK").execute(&mut self.conn).await?;
        self.conn.close().await
    }
}
