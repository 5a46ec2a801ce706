//! `db-error`: another session ends the session of the caller's connection, and the caller's next statement gets the server's own
//! `57P01`.
//!
//! A trainee finds what an administrator who ends sessions from `psql` leaves: a session of that name, the call of
//! `pg_terminate_backend` in it, and the server's line "terminating connection due to administrator command".

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::sync::Mutex;

use super::{Connection, Database, DbError};
use crate::pool::BACKEND_PID;
use chassis_faults::FaultPoint;

/// Ends sessions from its own connection, opened on first use and closed when the fault ends.
pub(super) struct Cutter {
    point: Option<FaultPoint>,
    options: PgConnectOptions,
    /// The holder of the lock either puts the connection back while the fault is on, or closes it: nothing is put back after
    /// [`tidy`] has looked.
    conn: Mutex<Option<PgConnection>>,
}

impl Cutter {
    pub(super) fn new(point: Option<FaultPoint>, options: PgConnectOptions) -> Self {
        Self { point, options, conn: Mutex::new(None) }
    }

    /// Whether the fault strikes an operation of the current scope.
    pub(super) fn strikes(&self) -> bool {
        self.point.as_ref().is_some_and(|point| point.strike().is_some())
    }

    /// Ends the session of `victim`, and returns when it has ended. If that fails, the
    /// server itself has a problem, which the caller's statement will hit.
    pub(super) async fn cut(&self, victim: &mut Connection) -> Result<(), DbError> {
        let Some(point) = &self.point else { return Ok(()) };
        // The pool runs the same query on each connection that it opens.
        let pid: i32 = sqlx::query_scalar(BACKEND_PID).fetch_one(&mut *victim).await?;
        // A failure is not logged: the line would exist under this fault only.
        let _ = self.terminate(pid, point).await;
        Ok(())
    }

    async fn terminate(&self, pid: i32, point: &FaultPoint) -> sqlx::Result<()> {
        let mut slot = self.conn.lock().await;
        let mut conn = match slot.take() {
            Some(conn) => conn,
            None => PgConnection::connect_with(&self.options).await?,
        };
        // As a person types it. With a timeout in milliseconds the function waits until the process is gone.
        let end = format!("SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE pid = {pid}");
        sqlx::raw_sql(AssertSqlSafe(end)).execute(&mut conn).await?;
        if point.active().is_some() {
            *slot = Some(conn);
            return Ok(());
        }
        conn.close().await
    }

    async fn close(&self) {
        if let Some(conn) = self.conn.lock().await.take() {
            let _ = conn.close().await;
        }
    }
}

/// Closes the connection whenever the fault has ended, however briefly it was on.
pub(super) async fn tidy(point: FaultPoint, database: Database) {
    loop {
        point.next_off().await;
        database.inner.faults.cutter.close().await;
    }
}
