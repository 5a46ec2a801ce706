//! The metrics of a database. Every series exists from the start, at 0.

use prometheus::{IntCounter, IntCounterVec, IntGauge};
use sqlx::PgPool;

use super::{DbTargets, ErrorKind, QueryType, pool::Slots};
use chassis_telemetry::faults::operations;
use chassis_telemetry::metrics::{Histogram, LATENCY_BUCKETS, Metrics};

pub(super) struct DbMetrics {
    /// `database_query_duration_seconds{query_type}`, in the order of [`QueryType::ALL`].
    queries: [Histogram; 5],
    /// `database_errors_total{database,kind}`, in the order of [`ErrorKind::ALL`].
    errors: [IntCounter; 6],
    /// `database_pool_wait_seconds{database}`.
    pub(super) pool_wait: Histogram,
    /// `database_operations_total{operation}`.
    pub(super) operations: IntCounterVec,
}

impl DbMetrics {
    pub(super) fn register(targets: &DbTargets, metrics: &Metrics) -> Self {
        let database = targets.database;
        let operations = operations(metrics);
        for operation in targets.operations {
            operations.with_label_values(&[operation]);
        }
        let queries = metrics.histogram_vec(
            "database_query_duration_seconds",
            "Time from holding a connection to giving it back, by the type of query.",
            &["query_type"],
            LATENCY_BUCKETS,
        );
        let errors = metrics.counter_vec(
            "database_errors_total",
            "Operations that the database did not do, by what a caller does about it.",
            &["database", "kind"],
        );
        let pool_wait = metrics.histogram_vec(
            "database_pool_wait_seconds",
            "Time that an operation waited for a connection.",
            &["database"],
            LATENCY_BUCKETS,
        );
        Self {
            queries: QueryType::ALL.map(|kind| queries.with(&[kind.as_str()])),
            errors: ErrorKind::ALL.map(|kind| errors.with_label_values(&[database, kind.as_str()])),
            pool_wait: pool_wait.with(&[database]),
            operations,
        }
    }

    pub(super) fn query(&self, kind: QueryType) -> &Histogram {
        &self.queries[kind as usize]
    }

    pub(super) fn failed(&self, kind: ErrorKind) {
        self.errors[kind as usize].inc();
    }
}

/// Registers the connection gauges, read at each scrape.
pub(super) fn register_gauges(database: &'static str, metrics: &Metrics, pool: &PgPool, slots: &Slots) {
    let gauge = |name, help| -> IntGauge {
        metrics.gauge_vec(name, help, &["database"]).with_label_values(&[database])
    };
    let active = gauge("database_connections_active", "Connections that an operation holds.");
    let idle = gauge("database_connections_idle", "Open connections that nobody holds.");
    let max = gauge("database_connections_max", "Connections that this process may hold at once.");
    max.set(slots.size().into());
    let (pool, slots) = (pool.clone(), slots.clone());
    metrics.on_scrape(move || {
        active.set(slots.taken().into());
        idle.set(pool.num_idle().try_into().unwrap_or(i64::MAX));
    });
}
