//! Faults of the database.

use std::time::Duration;

use chassis_faults::{
    Fault, catalogue, params,
    params::{MINUTE, count, duration},
    spec::{process, work},
};

params! {
    /// Parameters of `db-latency`.
    pub struct DbLatency {
        /// time added to each statement
        delay: Duration = duration("250ms", Duration::ZERO, MINUTE),
    }

    /// Parameters of `db-pool-exhaustion`.
    pub struct DbPoolExhaustion {
        /// connections that are left
        keep: u64 = count("0", 0, 100),
    }

    /// Parameters of `db-lock`.
    pub struct DbLock {
        /// how long it is held at a time
        hold: Duration = duration("5s", Duration::from_millis(100), MINUTE),
    }

    /// Parameters of `db-slow-query`.
    pub struct DbSlowQuery {
        /// minutes that it works through, beside the whole table
        rows: u64 = count("400000", 1_000, 10_000_000),
    }
}

catalogue! {
    /// `db-latency`: statements are slow.
    pub const DB_LATENCY: Fault<DbLatency> = work(
        "db-latency",
        "Statements take longer while they hold their connection, as with a slow disk or network.",
        "`database_query_duration_seconds` rises, then `database_connections_active` and `database_pool_wait_seconds`; long \
         database spans.",
    );

    /// `db-error`: statements fail.
    pub const DB_ERROR: Fault = work(
        "db-error",
        "A session of `psql` really ends the session of the caller's connection (`pg_terminate_backend`, `57P01`), as an \
         administrator may; the pool opens another.",
        "`database_errors_total{kind}` rises; own 503s (`storage-unavailable`); error spans at the database; PostgreSQL's log says \
         `terminating connection due to administrator command`, and `pg_stat_activity` shows who does it.",
    );

    /// `db-pool-exhaustion`: no free connections.
    pub const DB_POOL_EXHAUSTION: Fault<DbPoolExhaustion> = process(
        "db-pool-exhaustion",
        "Connections are really taken out of the pool and held idle, all but `keep`. `rate` is the share of the rest that is held.",
        "`database_connections_active` reaches its maximum while queries stay fast, `database_pool_wait_seconds` rises, \
         `database_errors_total{kind=\"pool_timeout\"}` and 503s after the acquire timeout.",
    )
    .ends(
        "Ending the sessions that are `idle in transaction` (`pg_terminate_backend`) frees their places until the plan is set \
         again. Nothing stays behind.",
    );

    /// `db-lock`: a lock is held.
    pub const DB_LOCK: Fault<DbLock> = process(
        "db-lock",
        "A transaction in a session of `psql` really holds an exclusive lock on the service's main table, as one that somebody \
         forgot to commit, and lets go for an instant every `hold`.",
        "Writes and reads of the table wait: `database_query_duration_seconds` has steps of `hold`, then pool waits; \
         `pg_locks` and `pg_stat_activity` show who waits for whom.",
    )
    .ends(
        "Ending the session that holds the lock (`pg_terminate_backend`) ends it too, until the plan is set again. Nothing \
         stays behind.",
    );

    /// `db-slow-query`: a query that reads too much.
    pub const DB_SLOW_QUERY: Fault<DbSlowQuery> = work(
        "db-slow-query",
        "Statements are preceded by a real report over the service's main table on the same connection, minute by minute for the \
         last `rows` minutes, as after somebody put a statistic into the path of requests.",
        "`database_query_duration_seconds` rises and PostgreSQL's own CPU with it; `pg_stat_activity` and, beyond 500 ms, \
         PostgreSQL's log show the query.",
    );

    /// `db-deadlock`: transactions deadlock.
    pub const DB_DEADLOCK: Fault = work(
        "db-deadlock",
        "A transaction really gets into a deadlock: another one takes the same two locks in the other order, and PostgreSQL \
         ends it (and not the other one) after its `deadlock_timeout` of 1 s. At most 4 at once.",
        "`database_errors_total{kind=\"conflict\"}` rises, statements take 1 s before they fail (`deadlock_timeout`); \
         `pg_stat_database.deadlocks` counts.",
    );
}
