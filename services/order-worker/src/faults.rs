//! The fault points of order-worker, each implemented in the crate of the chassis that declares it.

use chassis_faults::FaultSpec;
use chassis_kafka::catalogue::*;
use chassis_postgres::catalogue::*;
use chassis_service::catalogue::*;
use chassis_telemetry::catalogue::*;

/// All points. `db-deadlock` strikes the payment transaction.
pub const CATALOGUE: &[&FaultSpec] = &[
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
    &CRASH,
    &LOG_FLOOD,
    &METRICS_GONE,
    &TRACE_DROP,
    &LOG_DROP,
    &CARDINALITY_BOMB,
];
