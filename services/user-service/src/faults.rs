//! The fault points of user-service. What each does is in the chassis; `lost-update` strikes in `adapters::user_store`.

use chassis::fault::{FaultSpec, catalogue as c};

/// Name of the point that loses acknowledged changes.
pub const LOST_UPDATE: &str = c::LOST_UPDATE.name;

/// Every point of this service.
pub const CATALOGUE: &[&FaultSpec] = &[
    &c::HTTP_ERROR,
    &c::HTTP_LATENCY,
    &c::HTTP_HANG,
    &c::HTTP_ABORT,
    &c::DB_LATENCY,
    &c::DB_ERROR,
    &c::DB_POOL_EXHAUSTION,
    &c::DB_LOCK,
    &c::DB_SLOW_QUERY,
    &c::DB_DEADLOCK,
    &c::CACHE_DOWN,
    &c::CACHE_LATENCY,
    &c::CACHE_STAMPEDE,
    &c::CACHE_STALE,
    &c::CACHE_HOT_KEY,
    &c::CACHE_GROWTH,
    &c::CPU_BURN,
    &c::MEMORY_LEAK,
    &c::EXECUTOR_BLOCK,
    &c::FD_LEAK,
    &c::CRASH,
    &c::LOG_FLOOD,
    &c::LOST_UPDATE,
    &c::METRICS_GONE,
    &c::TRACE_DROP,
    &c::LOG_DROP,
    &c::CARDINALITY_BOMB,
];
