//! The fault points of order-worker; the chassis implements each at a process boundary.

use chassis::fault::{FaultSpec, catalogue as c};

/// All points. `db-deadlock` strikes the payment transaction.
pub const CATALOGUE: &[&FaultSpec] = &[
    &c::DB_LATENCY,
    &c::DB_ERROR,
    &c::DB_POOL_EXHAUSTION,
    &c::DB_LOCK,
    &c::DB_SLOW_QUERY,
    &c::DB_DEADLOCK,
    &c::PUBLISH_ERROR,
    &c::PUBLISH_DUPLICATE,
    &c::QUEUE_FLOOD,
    &c::POISON_MESSAGE,
    &c::CONSUMER_SLOW,
    &c::CONSUMER_PAUSE,
    &c::REBALANCE_STORM,
    &c::COMMIT_SKIP,
    &c::CPU_BURN,
    &c::MEMORY_LEAK,
    &c::EXECUTOR_BLOCK,
    &c::FD_LEAK,
    &c::CRASH,
    &c::LOG_FLOOD,
    &c::METRICS_GONE,
    &c::TRACE_DROP,
    &c::LOG_DROP,
    &c::CARDINALITY_BOMB,
];
