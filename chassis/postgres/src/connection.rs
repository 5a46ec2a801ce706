//! A connection in use: an sqlx executor that counts errors, marks its span and returns the connection when dropped.

use std::{fmt, sync::Arc, time::Instant};

use futures::{TryFutureExt as _, TryStreamExt as _, future::BoxFuture, stream::BoxStream};
use sqlx::{
    Connection as _, Either, Execute, Executor, PgConnection, Postgres, SqlStr, pool::PoolConnection,
};
use tokio::{runtime::Handle, time::timeout};
use tracing::Span;

use super::{DbError, ErrorKind, QueryType, error::sqlstate, metrics::DbMetrics, pool::Slot};

const GONE: &str = "only `drop` takes the connection";

/// A measured connection: sqlx runs statements on `&mut connection`, or on `&mut *transaction`, which is one of these. The
/// duration of the work is observed when it is dropped.
///
/// The transaction is this connection's own: do not begin another one through sqlx on it.
pub struct Connection {
    /// `None` only while being dropped.
    conn: Option<PoolConnection<Postgres>>,
    /// A transaction was begun and not ended.
    in_transaction: bool,
    /// Released only once the connection is free: a statement whose caller gave up still runs on it.
    slot: Option<Slot>,
    observer: Observer,
}

impl Connection {
    pub(super) fn new(conn: PoolConnection<Postgres>, slot: Slot, observer: Observer) -> Self {
        Self { conn: Some(conn), in_transaction: false, slot: Some(slot), observer }
    }

    /// Begins the transaction.
    pub(super) async fn begin(&mut self) -> Result<(), DbError> {
        // Before the statement: if the caller gives up halfway, there is one to roll back.
        self.in_transaction = true;
        sqlx::raw_sql("BEGIN").execute(&mut *self).await?;
        Ok(())
    }

    /// Commits the transaction.
    pub(super) async fn commit(&mut self) -> Result<(), DbError> {
        sqlx::raw_sql("COMMIT").execute(&mut *self).await?;
        self.in_transaction = false;
        Ok(())
    }

    /// Whether the server still answers on it.
    pub(super) async fn answers(&mut self) -> bool {
        self.split().0.ping().await.is_ok()
    }

    /// Notes in the span that what is done on it is the work of `callers`.
    pub fn shared_by(&self, callers: usize) {
        self.observer.shared_by(callers);
    }

    /// The parts that run a statement and watch it.
    fn split(&mut self) -> (&mut PgConnection, &Observer) {
        (self.conn.as_mut().expect(GONE), &self.observer)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let (Some(conn), Some(slot)) = (self.conn.take(), self.slot.take()) else { return };
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(give_back(conn, slot, self.in_transaction))),
            // The process is ending.
            Err(_) => drop(conn.detach()),
        }
    }
}

/// Waits for the end of a statement whose caller gave up, rolls back, and returns the connection to the pool; closes it
/// if the server no longer answers.
async fn give_back(mut conn: PoolConnection<Postgres>, slot: Slot, in_transaction: bool) {
    if in_transaction {
        let rollback = sqlx::raw_sql("ROLLBACK").execute(&mut *conn);
        if !matches!(timeout(slot.patience, rollback).await, Ok(Ok(_))) {
            drop(conn.detach());
            return;
        }
    }
    // If this is cancelled, the connection is closed.
    let _ = timeout(slot.patience, conn.return_to_pool()).await;
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection")
    }
}

type PgStep = Either<<Postgres as sqlx::Database>::QueryResult, <Postgres as sqlx::Database>::Row>;

impl<'c> Executor<'c> for &'c mut Connection {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<PgStep>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let (conn, observer) = self.split();
        Box::pin(conn.fetch_many(query).inspect_err(|error| observer.failed(error)))
    }

    fn fetch_optional<'e, 'q: 'e, E>(
        self,
        query: E,
    ) -> BoxFuture<'e, sqlx::Result<Option<<Postgres as sqlx::Database>::Row>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let (conn, observer) = self.split();
        Box::pin(conn.fetch_optional(query).inspect_err(|error| observer.failed(error)))
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [<Postgres as sqlx::Database>::TypeInfo],
    ) -> BoxFuture<'e, sqlx::Result<<Postgres as sqlx::Database>::Statement>>
    where
        'c: 'e,
    {
        let (conn, observer) = self.split();
        Box::pin(conn.prepare_with(sql, parameters).inspect_err(|error| observer.failed(error)))
    }
}

/// What one operation reports: its duration at the end, its errors when they occur, and its span.
pub(super) struct Observer {
    pub(super) metrics: Arc<DbMetrics>,
    pub(super) span: Span,
    /// When the connection was acquired, and the type under which the time counts; `None` for the chassis's own background work.
    pub(super) timed: Option<(Instant, QueryType)>,
}

impl Observer {
    fn failed(&self, error: &sqlx::Error) {
        self.record(ErrorKind::of(error), sqlstate(error));
    }

    /// Counts an error that did not come from a statement.
    pub(super) fn refused(&self, error: &DbError) {
        self.record(error.kind(), None);
    }

    /// `db.operation.batch.size` of the semantic conventions, which is not set for 1.
    fn shared_by(&self, callers: usize) {
        if callers > 1 {
            self.span.record("db.operation.batch.size", i64::try_from(callers).unwrap_or(i64::MAX));
        }
    }

    fn record(&self, kind: ErrorKind, sqlstate: Option<String>) {
        self.metrics.failed(kind);
        self.span.record("otel.status_code", "ERROR");
        match sqlstate {
            Some(code) => {
                self.span.record("db.response.status_code", code.as_str());
                self.span.record("error.type", code.as_str());
            }
            None => {
                self.span.record("error.type", kind.as_str());
            }
        }
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        if let Some((since, kind)) = self.timed.take() {
            // Inside the span, so that the bucket's exemplar links to its trace.
            self.span.in_scope(|| self.metrics.query(kind).observe(since.elapsed().as_secs_f64()));
        }
    }
}
