//! The fault points of order-worker, each implemented in the chassis crate that declares it.

use chassis_faults::Catalogue;
use chassis_kafka::catalogue::*;
use chassis_postgres::catalogue::*;
use chassis_service::catalogue::*;
use chassis_telemetry::catalogue::*;
pub use contracts::subject::ATTRIBUTES as SUBJECT;

/// All points. `db-deadlock` strikes the payment transaction.
pub const CATALOGUE: Catalogue = &[
    &DB_LATENCY,
    &DB_ERROR,
    &DB_POOL_EXHAUSTION,
    &DB_LOCK,
    &DB_SLOW_QUERY,
    &DB_DEADLOCK,
    &PUBLISH_ERROR,
    &PUBLISH_DUPLICATE,
    &QUEUE_FLOOD,
    &POISON_MESSAGE,
    &CONSUMER_SLOW,
    &CONSUMER_PAUSE,
    &REBALANCE_STORM,
    &COMMIT_SKIP,
    &CPU_BURN,
    &MEMORY_LEAK,
    &EXECUTOR_BLOCK,
    &FD_LEAK,
    &DISK_FILL,
    &CRASH,
    &CRASH_LOOP,
    &LOG_FLOOD,
    &METRICS_GONE,
    &TRACE_DROP,
    &LOG_DROP,
    &CARDINALITY_BOMB,
];
