//! PostgreSQL: a pool with metrics, spans and the `db-*` faults at its boundary.
//!
//! Every operation goes through [`Database::query`] or [`Database::transaction`]: they wait for a connection, apply the
//! faults, and hand out a guard that measures until it is dropped.

pub mod catalogue;
mod connection;
mod error;
mod faults;
mod group;
mod metrics;
mod migrate;
mod pool;
mod rows;
mod surplus;
mod transaction;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{FutureExt as _, future::try_join_all};
use sqlx::{Connection as _, PgPool, postgres::PgConnectOptions};
use tracing::Span;

pub use self::{
    connection::Connection,
    error::DbError,
    group::{Group, GroupWork},
    rows::migrator,
    transaction::Transaction,
};
use self::{connection::Observer, error::ErrorKind, faults::DbFaults, metrics::DbMetrics, pool::Slots};
use chassis_core::config::Invalid;
use chassis_telemetry::{Chassis, traces};

/// Deadline of the readiness probe: less than the second that `/readyz` allows for each check.
const PROBE_TIMEOUT: Duration = Duration::from_millis(800);
/// Connections opened before a process is first ready, if its pool is that large.
const WARM: u32 = 4;
/// Connections kept open even if fewer are needed: each is a process of the server, with memory of its own. Not one
/// alone: while it works, the next operation would wait for it or for a new one.
const KEPT: u32 = 2;

/// Connection to the PostgreSQL database. Flattened into the service's own configuration.
#[derive(Debug, Clone, clap::Args)]
pub struct DbConfig {
    /// URL of the PostgreSQL database.
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        value_name = "postgres://USER:PASSWORD@HOST:PORT/NAME"
    )]
    pub database_url: String,
    /// Largest number of connections of this process.
    #[arg(long, env = "DB_POOL_SIZE", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub db_pool_size: u32,
    /// How long a request waits for a free connection before it fails.
    #[arg(long, env = "DB_ACQUIRE_TIMEOUT", default_value = "2s", value_parser = humantime::parse_duration)]
    pub db_acquire_timeout: Duration,
    /// How long opening a connection may take, for example `500ms`.
    #[arg(long, env = "DB_CONNECT_TIMEOUT", default_value = "1s", value_parser = humantime::parse_duration)]
    pub db_connect_timeout: Duration,
    /// Time after which the server cancels a statement.
    #[arg(long, env = "DB_STATEMENT_TIMEOUT", default_value = "10s", value_parser = humantime::parse_duration)]
    pub db_statement_timeout: Duration,
}

/// The tables of a service, for metrics and the `db-*` faults.
#[derive(Debug, Clone, Copy)]
pub struct DbTargets {
    /// The `database` label.
    pub database: &'static str,
    /// Table that `db-lock` and `db-deadlock` lock and `db-slow-query` reads; it has an `id uuid` column.
    pub table: &'static str,
    /// The column of that table with the creation time of a row.
    pub created: &'static str,
    /// The names of the service's queries and transactions, so that their series exist from the start.
    pub operations: &'static [&'static str],
}

/// `query_type` label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumCount, strum::VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum QueryType {
    /// Reads.
    Select,
    /// Inserts.
    Insert,
    /// Updates.
    Update,
    /// Deletes.
    Delete,
    /// A transaction of several statements.
    Transaction,
}

impl QueryType {
    const ALL: [Self; <Self as strum::EnumCount>::COUNT] =
        *<Self as strum::VariantArray>::VARIANTS.first_chunk().expect("all of them");

    fn as_str(self) -> &'static str {
        self.into()
    }

    /// `db.operation.name` of the semantic conventions.
    fn operation_name(self) -> &'static str {
        match self {
            Self::Select => "SELECT",
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Transaction => "TRANSACTION",
        }
    }
}

/// A measured, breakable pool. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
}

struct Inner {
    pool: PgPool,
    slots: Slots,
    options: PgConnectOptions,
    targets: DbTargets,
    metrics: Arc<DbMetrics>,
    faults: DbFaults,
}

impl Database {
    /// Opens the pool (lazily: the server may come up later), registers metrics, the readiness check `postgres`, and fault
    /// tasks.
    ///
    /// # Errors
    /// If the URL is invalid.
    pub async fn connect(config: &DbConfig, targets: DbTargets, chassis: &Chassis) -> anyhow::Result<Self> {
        Self::open(config, targets, chassis)
    }

    /// Not async: rustc makes the code of an async function, here all fault tasks, in each crate that awaits it.
    fn open(config: &DbConfig, targets: DbTargets, chassis: &Chassis) -> anyhow::Result<Self> {
        let options = pool::connect_options(config, chassis.service.name)
            .map_err(|error| Invalid::new("DATABASE_URL", format_args!("not a PostgreSQL URL: {error}")))?;
        let slots = Slots::new(config);
        let pool = pool::open(config, options.clone());
        let metrics = Arc::new(DbMetrics::register(&targets, &chassis.metrics));
        metrics::register_gauges(targets.database, &chassis.metrics, &pool, &slots);
        probe_readiness(&pool, config.db_pool_size, chassis);
        let faults = DbFaults::resolve(&chassis.faults, &options);
        let database = Self { inner: Arc::new(Inner { pool, slots, options, targets, metrics, faults }) };
        faults::spawn_tasks(&database, chassis);
        let Inner { pool, slots, .. } = &*database.inner;
        surplus::watch(pool, &slots.demand, KEPT.min(slots.size()), chassis);
        Ok(database)
    }

    /// A connection for one statement: waits for the pool, applies faults, starts span and timer.
    /// `operation` is the span name (`get_order`).
    ///
    /// # Errors
    /// [`DbError::PoolTimeout`], [`DbError::Unavailable`].
    pub async fn query(&self, kind: QueryType, operation: &'static str) -> Result<Connection, DbError> {
        self.inner.metrics.operations.with_label_values(&[operation]).inc();
        let blow = self.inner.faults.blow(Some(kind));
        let mut conn = self.acquire(Some(kind), self.span(kind, operation)).await?;
        self.inner.faults.before_statement(&blow, &mut conn, &self.inner.targets).await?;
        Ok(conn)
    }

    /// As [`Database::query`], inside a transaction; rolled back unless committed.
    ///
    /// # Errors
    /// As [`Database::query`]; [`DbError::Conflict`] if the transaction lost a conflict at its start.
    pub async fn transaction(&self, operation: &'static str) -> Result<Transaction, DbError> {
        let kind = QueryType::Transaction;
        self.inner.metrics.operations.with_label_values(&[operation]).inc();
        let blow = self.inner.faults.blow(Some(kind));
        let mut conn = self.acquire(Some(kind), self.span(kind, operation)).await?;
        conn.begin().await?;
        self.inner.faults.before_statement(&blow, &mut conn, &self.inner.targets).await?;
        Ok(Transaction(conn))
    }

    /// As [`Database::query`], for loops that poll often: no span, no duration.
    ///
    /// # Errors
    /// As [`Database::query`].
    pub async fn background_query(&self) -> Result<Connection, DbError> {
        let blow = self.inner.faults.blow(None);
        let mut conn = self.acquire(None, Span::none()).await?;
        self.inner.faults.before_statement(&blow, &mut conn, &self.inner.targets).await?;
        Ok(conn)
    }

    /// As [`Database::transaction`], for loops of the chassis: no span, and no duration, because the transaction also waits
    /// for more than the database ([`Database::observe`] counts its statements).
    pub async fn background_transaction(&self) -> Result<Transaction, DbError> {
        let blow = self.inner.faults.blow(None);
        let mut conn = self.acquire(None, Span::none()).await?;
        conn.begin().await?;
        self.inner.faults.before_statement(&blow, &mut conn, &self.inner.targets).await?;
        Ok(Transaction(conn))
    }

    /// Counts the duration of one statement of a background transaction.
    pub fn observe(&self, kind: QueryType, since: Instant) {
        self.inner.metrics.query(kind).observe(since.elapsed().as_secs_f64());
    }

    /// The pool itself, for tests and readiness only: statements through it are neither measured nor breakable.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.inner.pool
    }

    /// Closes idle connections that operations have not needed since the last call; a process does so every 30 seconds.
    pub async fn close_surplus(&self) {
        let Inner { pool, slots, .. } = &*self.inner;
        surplus::close(pool, &slots.demand, KEPT.min(slots.size())).await;
    }

    async fn acquire(&self, kind: Option<QueryType>, span: Span) -> Result<Connection, DbError> {
        let inner = &self.inner;
        let waiting = Instant::now();
        let acquired = inner.slots.acquire(&inner.pool).await;
        span.in_scope(|| inner.metrics.pool_wait.observe(waiting.elapsed().as_secs_f64()));
        let mut observer = Observer { metrics: Arc::clone(&inner.metrics), span, timed: None };
        match acquired {
            Ok((slot, conn)) => {
                observer.timed = kind.map(|kind| (Instant::now(), kind));
                Ok(Connection::new(conn, slot, observer))
            }
            Err(error) => {
                observer.refused(&error);
                Err(error)
            }
        }
    }

    /// The span of an operation; none in a trace that is not sampled.
    fn span(&self, kind: QueryType, operation: &'static str) -> Span {
        traces::span_here(|| self.make_span(kind, operation))
    }

    fn make_span(&self, kind: QueryType, operation: &'static str) -> Span {
        let options = &self.inner.options;
        tracing::info_span!(
            "database",
            otel.name = operation,
            otel.kind = "client",
            otel.status_code = tracing::field::Empty,
            error.type = tracing::field::Empty,
            db.system.name = "postgresql",
            db.namespace = options.get_database().unwrap_or(self.inner.targets.database),
            db.operation.name = kind.operation_name(),
            db.operation.batch.size = tracing::field::Empty,
            db.response.status_code = tracing::field::Empty,
            server.address = options.get_host(),
            server.port = i64::from(options.get_port()),
        )
    }
}

/// Ready while the server answers: a process with all connections in use is busy, not unready. Before it is ready for
/// the first time, [`WARM`] connections are open: on a busy machine, opening one takes longer than a request may.
fn probe_readiness(pool: &PgPool, size: u32, chassis: &Chassis) {
    let pool = pool.clone();
    let cold = Arc::new(AtomicBool::new(true));
    chassis.readiness.check("postgres", move || {
        let (pool, cold) = (pool.clone(), Arc::clone(&cold));
        async move {
            let in_use = pool.size().saturating_sub(u32::try_from(pool.num_idle()).unwrap_or(u32::MAX));
            let wanted =
                if cold.load(Ordering::Relaxed) { WARM.min(size).saturating_sub(in_use).max(1) } else { 1 };
            let open = try_join_all((0..wanted).map(|_| pool.acquire()));
            let probe = async { try_join_all(open.await?.iter_mut().map(|conn| conn.ping())).await };
            match tokio::time::timeout(PROBE_TIMEOUT, probe).await {
                Ok(Ok(_)) => {
                    cold.store(false, Ordering::Relaxed);
                    Ok(())
                }
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err(format!("no answer within {PROBE_TIMEOUT:?}")),
            }
        }
        .boxed()
    });
}
