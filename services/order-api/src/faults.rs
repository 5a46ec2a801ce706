//! The fault points of order-api. The chassis implements each at a process boundary, but `risky` and `wrong-total`, whose
//! boundaries are in [`crate::adapters`].

use chassis::fault::{FaultSpec, catalogue as c};

/// All points. No `db-deadlock`: every change here is one statement.
pub const CATALOGUE: &[&FaultSpec] = &[
    &c::RISKY,
    &c::HTTP_ERROR,
    &c::HTTP_LATENCY,
    &c::HTTP_HANG,
    &c::HTTP_ABORT,
    &c::UPSTREAM_ERROR,
    &c::UPSTREAM_LATENCY,
    &c::UPSTREAM_UNREACHABLE,
    &c::DB_LATENCY,
    &c::DB_ERROR,
    &c::DB_POOL_EXHAUSTION,
    &c::DB_LOCK,
    &c::DB_SLOW_QUERY,
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
    &c::WRONG_TOTAL,
    &c::METRICS_GONE,
    &c::TRACE_DROP,
    &c::LOG_DROP,
    &c::CARDINALITY_BOMB,
];
