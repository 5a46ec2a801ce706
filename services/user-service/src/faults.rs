//! The fault points of user-service. Each is implemented in the chassis crate that declares it, except `lost-update`, which
//! strikes in `adapters::user_store`.

use chassis_faults::{Catalogue, Fault, spec::work};
use chassis_http::catalogue::*;
use chassis_postgres::catalogue::*;
use chassis_redis::catalogue::*;
use chassis_service::catalogue::*;
use chassis_telemetry::catalogue::*;
pub use contracts::subject::ATTRIBUTES as SUBJECT;

/// Every point of this service.
pub const CATALOGUE: Catalogue = &[
    &HTTP_ERROR,
    &HTTP_LATENCY,
    &HTTP_HANG,
    &HTTP_ABORT,
    &DB_LATENCY,
    &DB_ERROR,
    &DB_POOL_EXHAUSTION,
    &DB_LOCK,
    &DB_SLOW_QUERY,
    &DB_DEADLOCK,
    &CACHE_DOWN,
    &CACHE_LATENCY,
    &CACHE_STAMPEDE,
    &CACHE_STALE,
    &CACHE_HOT_KEY,
    &CACHE_GROWTH,
    &CPU_BURN,
    &MEMORY_LEAK,
    &EXECUTOR_BLOCK,
    &FD_LEAK,
    &DISK_FILL,
    &CRASH,
    &CRASH_LOOP,
    &LOG_FLOOD,
    &LOST_UPDATE,
    &METRICS_GONE,
    &TRACE_DROP,
    &LOG_DROP,
    &CARDINALITY_BOMB,
];

/// `lost-update`: an acknowledged change is not there.
pub const LOST_UPDATE: Fault = work(
    "lost-update",
    "A change is answered with success and not written.",
    "No error and no latency: reading back shows the old value.",
);
