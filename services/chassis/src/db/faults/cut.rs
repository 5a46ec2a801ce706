//! `db-error`: the server ends the session of the caller's connection, as in a failover or at an administrator's hand, and
//! the caller's next statement gets the server's own `57P01`.

use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::sync::Mutex;

use super::{Connection, Database, DbError};
use crate::fault::FaultPoint;

/// Ends sessions from a connection of its own, opened on first use and closed when the fault ends.
pub(super) struct Cutter {
    options: PgConnectOptions,
    conn: Mutex<Option<PgConnection>>,
}

impl Cutter {
    pub(super) fn new(options: PgConnectOptions) -> Self {
        Self { options, conn: Mutex::new(None) }
    }

    /// Ends the session of `victim` and returns when it has ended. Where that does not work, the server is in trouble of its
    /// own, which the caller's statement will meet.
    pub(super) async fn cut(&self, victim: &mut Connection) -> Result<(), DbError> {
        let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *victim).await?;
        if let Err(error) = self.terminate(pid).await {
            tracing::debug!(error = %error, "a session was not ended");
        }
        Ok(())
    }

    async fn terminate(&self, pid: i32) -> sqlx::Result<()> {
        let mut slot = self.conn.lock().await;
        let mut conn = match slot.take() {
            Some(conn) => conn,
            None => PgConnection::connect_with(&self.options).await?,
        };
        // With a timeout in milliseconds the function waits until the process is gone.
        sqlx::query("SELECT pg_terminate_backend($1, 1000)").bind(pid).execute(&mut conn).await?;
        *slot = Some(conn);
        Ok(())
    }

    async fn close(&self) {
        if let Some(conn) = self.conn.lock().await.take() {
            let _ = conn.close().await;
        }
    }
}

/// Closes the connection whenever the fault ends.
pub(super) async fn tidy(point: FaultPoint, database: Database) {
    loop {
        let strike = point.started().await;
        point.ended(&strike).await;
        database.inner.faults.cutter.close().await;
    }
}
