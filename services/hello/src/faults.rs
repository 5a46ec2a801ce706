//! The fault points of hello. Each is implemented in the chassis crate that declares it.

use chassis_faults::{Attribute, Catalogue};
use chassis_http::catalogue::{HTTP_ABORT, HTTP_ERROR, HTTP_HANG, HTTP_LATENCY};
use chassis_service::catalogue::{CPU_BURN, CRASH, MEMORY_LEAK};
use chassis_telemetry::catalogue::{LOG_DROP, METRICS_GONE, TRACE_DROP};

/// Plans cannot select by a subject: a greeting belongs to nobody.
pub const SUBJECT: &[Attribute] = &[];

/// Every point of this service.
pub const CATALOGUE: Catalogue = &[
    &HTTP_ERROR,
    &HTTP_LATENCY,
    &HTTP_HANG,
    &HTTP_ABORT,
    &CPU_BURN,
    &MEMORY_LEAK,
    &CRASH,
    &METRICS_GONE,
    &TRACE_DROP,
    &LOG_DROP,
];
