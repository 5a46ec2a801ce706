//! The metrics of a database. Every series exists from the start, at 0.

use prometheus::{IntCounter, IntCounterVec, IntGaugeVec};
use sqlx::PgPool;
use strum::VariantArray as _;

use super::{DbTargets, ErrorKind, QueryType, pool::Slots};
use chassis_telemetry::faults::operations;
use chassis_telemetry::metrics::{Histogram, HistogramVec, LATENCY_BUCKETS, Metrics};

chassis_telemetry::metrics! {
    /// The families of operations.
    struct Families {
        /// Time from holding a connection to giving it back, by the type of query.
        database_query_duration_seconds: HistogramVec["query_type"](LATENCY_BUCKETS),
        /// Operations that the database did not do, by what a caller does about it.
        database_errors_total: IntCounterVec["database", "kind"],
        /// Time that an operation waited for a connection.
        database_pool_wait_seconds: HistogramVec["database"](LATENCY_BUCKETS),
    }
}

chassis_telemetry::metrics! {
    /// The families of a pool.
    struct PoolFamilies {
        /// Connections that an operation holds.
        database_connections_active: IntGaugeVec["database"],
        /// Open connections that nobody holds.
        database_connections_idle: IntGaugeVec["database"],
        /// Connections that this process may hold at once.
        database_connections_max: IntGaugeVec["database"],
    }
}

pub(super) struct DbMetrics {
    /// `database_query_duration_seconds{query_type}`, in the order of [`QueryType::ALL`].
    queries: [Histogram; 5],
    /// `database_errors_total{database,kind}`, in the order of [`ErrorKind`].
    errors: Vec<IntCounter>,
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
        let families = Families::register(metrics);
        let query = |kind: QueryType| families.database_query_duration_seconds.with(&[kind.as_str()]);
        let error =
            |kind: ErrorKind| families.database_errors_total.with_label_values(&[database, kind.as_str()]);
        Self {
            queries: QueryType::ALL.map(query),
            errors: ErrorKind::VARIANTS.iter().copied().map(error).collect(),
            pool_wait: families.database_pool_wait_seconds.with(&[database]),
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
    let families = PoolFamilies::register(metrics);
    let of = |family: &IntGaugeVec| family.with_label_values(&[database]);
    of(&families.database_connections_max).set(slots.size().into());
    let (active, idle) = (of(&families.database_connections_active), of(&families.database_connections_idle));
    let (pool, slots) = (pool.clone(), slots.clone());
    metrics.on_scrape(move || {
        active.set(slots.taken().into());
        idle.set(pool.num_idle().try_into().unwrap_or(i64::MAX));
    });
}
