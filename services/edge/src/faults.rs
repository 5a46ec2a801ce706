//! The fault points of the edge. Those of the upstreams are in [`crate::adapters`], the others in the chassis
//! crate that declares them.

use chassis_client::catalogue::*;
use chassis_faults::Catalogue;
use chassis_http::catalogue::*;
use chassis_service::catalogue::*;
use chassis_telemetry::catalogue::*;
pub use contracts::subject::ATTRIBUTES as SUBJECT;

/// All points. No `cardinality-bomb`: it is about the names of database operations.
pub const CATALOGUE: Catalogue = &[
    &HTTP_ERROR,
    &HTTP_LATENCY,
    &HTTP_HANG,
    &HTTP_ABORT,
    &UPSTREAM_ERROR,
    &UPSTREAM_LATENCY,
    &UPSTREAM_UNREACHABLE,
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
];
