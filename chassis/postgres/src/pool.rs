//! The pool: the slots that permit holding a connection, and how connections are opened, checked and closed.
//!
//! sqlx's own pool cannot tell "all connections are in use" from "no connection can be opened": both end in `PoolTimedOut`.
//! So operations first wait for a slot here and only then use the pool, where the holder of a slot gets a connection
//! or opens one.

use std::{
    hash::{BuildHasher as _, RandomState},
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{
    Connection as _, PgPool, Postgres,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
    time::timeout,
};

use chassis_telemetry::lines::{ACQUIRED, RELEASED, TARGET};

use super::{DbConfig, DbError, surplus::Demand};

/// A connection that idled longer than this is pinged before use: a restarted server is detected here, not by the caller.
const PING_AFTER_IDLE: Duration = Duration::from_secs(1);
/// Connections that nobody used for this long are closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Connections beyond this age are closed, and opened again only if they are missed: a server process keeps the memory
/// of the largest thing that it has done. Those that only a peak needed end earlier ([`super::surplus`]).
/// Each process varies it by up to a fifth ([`lifetime`]): processes that started together do not open all connections at once.
const LIFETIME: Duration = Duration::from_secs(5 * 60);
/// Connections beyond the slots: for the readiness probe, as a saturated process is busy, not unready; and for the one that is
/// being opened for a holder of a slot who has got another one meanwhile.
const RESERVE: u32 = 2;

/// Process id of the server process of a connection.
pub(super) const BACKEND_PID: &str = "SELECT pg_backend_pid()";
/// The right to hold a connection. Cheap to clone.
#[derive(Clone)]
pub(super) struct Slots {
    size: u32,
    free: Arc<Semaphore>,
    /// How many connections operations need.
    pub(super) demand: Demand,
    /// Told of each connection that idles again.
    idle: Arc<Notify>,
    /// One connection is opened at a time, so that attempts which nobody waits for any more do not fill the pool.
    opening: Arc<Semaphore>,
    connect: Duration,
    /// The last attempt to open a connection failed: a caller that waits for a slot now waits for the server.
    unreachable: Arc<AtomicBool>,
    wait: Duration,
    /// Longer than the server lets any statement run.
    patience: Duration,
}

/// One slot, taken.
pub(super) struct Slot {
    _permit: OwnedSemaphorePermit,
    idle: Arc<Notify>,
    since: Instant,
    /// How long its connection may take to become free before it is closed.
    pub(super) patience: Duration,
}

impl Drop for Slot {
    /// Comes after the connection is back in the pool.
    fn drop(&mut self) {
        self.idle.notify_one();
        tracing::debug!(target: TARGET, held_micros = micros(self.since), "{RELEASED}");
    }
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

impl Slots {
    pub(super) fn new(config: &DbConfig) -> Self {
        Self {
            size: config.db_pool_size,
            free: Arc::new(Semaphore::new(config.db_pool_size as usize)),
            demand: Demand::new(config.db_pool_size),
            idle: Arc::default(),
            opening: Arc::new(Semaphore::new(1)),
            connect: config.db_connect_timeout,
            unreachable: Arc::default(),
            wait: config.db_acquire_timeout,
            patience: config.db_statement_timeout + Duration::from_secs(1),
        }
    }

    pub(super) fn size(&self) -> u32 {
        self.size
    }

    pub(super) fn taken(&self) -> u32 {
        self.size.saturating_sub(u32::try_from(self.free.available_permits()).unwrap_or(u32::MAX))
    }

    /// Acquires a slot and its connection.
    pub(super) async fn acquire(&self, pool: &PgPool) -> Result<(Slot, PoolConnection<Postgres>), DbError> {
        let waiting = Instant::now();
        let permit = match timeout(self.wait, Arc::clone(&self.free).acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_closed)) => return Err(sqlx::Error::PoolClosed.into()),
            Err(_) if self.unreachable.load(Ordering::Relaxed) => return Err(unreachable()),
            Err(_) => return Err(DbError::PoolTimeout),
        };
        self.demand.count(self.taken());
        // Within the connect timeout; while connections are open, within the acquire timeout if that is longer.
        let conn = match self.connection(pool).await {
            Ok(conn) => Ok(conn),
            Err(sqlx::Error::PoolTimedOut) => Err(unreachable()),
            Err(error) => Err(DbError::from(error)),
        };
        self.unreachable.store(conn.is_err(), Ordering::Relaxed);
        let conn = conn?;
        tracing::debug!(target: TARGET, waited_micros = micros(waiting), "{ACQUIRED}");
        let slot = Slot {
            _permit: permit,
            idle: Arc::clone(&self.idle),
            since: Instant::now(),
            patience: self.patience,
        };
        Ok((slot, conn))
    }

    /// A connection that idles; else, whichever comes first, a new one or one that another holder gives back. While the
    /// open connections suffice, a server that is slow to accept new ones delays no caller and fails none: a caller may wait for an
    /// open connection as long as for a slot.
    async fn connection(&self, pool: &PgPool) -> sqlx::Result<PoolConnection<Postgres>> {
        if pool.num_idle() > 0 {
            return pool.acquire().await;
        }
        let patience = if pool.size() > 0 { self.wait.max(self.connect) } else { self.connect };
        let got = timeout(patience, async {
            loop {
                match self.new_or_returned(pool).await {
                    Err(sqlx::Error::PoolTimedOut) if pool.size() > 0 => {}
                    got => return got,
                }
            }
        });
        got.await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    async fn new_or_returned(&self, pool: &PgPool) -> sqlx::Result<PoolConnection<Postgres>> {
        let turn = loop {
            tokio::select! {
                biased;
                turn = Arc::clone(&self.opening).acquire_owned() => break turn,
                () = self.idle.notified() => if let Some(conn) = pool.try_acquire() {
                    return Ok(conn);
                },
            }
        };
        // Its own task: it continues when its caller has got another connection, and the next caller finds this one.
        let mut opening = tokio::spawn({
            let pool = pool.clone();
            async move {
                let _turn = turn;
                pool.acquire().await
            }
        });
        loop {
            tokio::select! {
                biased;
                opened = &mut opening => return opened.unwrap_or(Err(sqlx::Error::PoolClosed)),
                () = self.idle.notified() => if let Some(conn) = pool.try_acquire() {
                    tokio::spawn(keep(opening, Arc::clone(&self.idle)));
                    return Ok(conn);
                },
            }
        }
    }
}

/// Puts a connection that nobody waits for into the pool, and says so.
async fn keep(opening: JoinHandle<sqlx::Result<PoolConnection<Postgres>>>, idle: Arc<Notify>) {
    if let Ok(Ok(mut conn)) = opening.await {
        conn.return_to_pool().await;
        idle.notify_one();
    }
}

fn unreachable() -> DbError {
    let reason = "the server did not accept a connection in time";
    sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, reason)).into()
}

/// Application name and timeouts of each connection of this process.
pub(super) fn connect_options(config: &DbConfig, application: &str) -> sqlx::Result<PgConnectOptions> {
    Ok(PgConnectOptions::from_str(&config.database_url)?
        .application_name(application)
        .options([("statement_timeout", format!("{}ms", config.db_statement_timeout.as_millis()))]))
}

/// [`LIFETIME`], by a random number: from 80 % to 120 % of it. Not by the process id, which is 1 in every container.
fn lifetime(random: u64) -> Duration {
    let per_mille = 800 + u32::try_from(random % 401).unwrap_or_default();
    LIFETIME / 1000 * per_mille
}

/// The pool, with nothing opened yet.
pub(super) fn open(config: &DbConfig, options: PgConnectOptions) -> PgPool {
    PgPoolOptions::new()
        .max_connections(config.db_pool_size.saturating_add(RESERVE))
        .acquire_timeout(config.db_connect_timeout)
        .idle_timeout(IDLE_TIMEOUT)
        .max_lifetime(lifetime(RandomState::new().hash_one(LIFETIME)))
        // sqlx pings on return anyway; a ping before every use would double the round trips of a short query.
        .test_before_acquire(false)
        .before_acquire(|conn, meta| {
            Box::pin(async move {
                if meta.idle_for > PING_AFTER_IDLE {
                    conn.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(|conn, _| {
            Box::pin(async move {
                // PostgreSQL's log names its processes by pid: this line tells which are ours.
                let pid: i32 = sqlx::query_scalar(BACKEND_PID).fetch_one(conn).await?;
                tracing::debug!(pid, "connection opened");
                Ok(())
            })
        })
        .connect_lazy_with(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_of_different_processes_do_not_end_together() {
        assert_eq!(lifetime(0), Duration::from_secs(4 * 60));
        assert_eq!(lifetime(200), LIFETIME);
        assert_eq!(lifetime(400), Duration::from_secs(6 * 60));
        assert_eq!(lifetime(401), lifetime(0));
        assert!(lifetime(u64::MAX) <= Duration::from_secs(6 * 60));
    }
}
