//! The fault points of order-api. Each is implemented at its boundary: its own, `risky` and `wrong-total`, in
//! [`crate::adapters`], the others in the chassis crate that declares them.

use chassis_client::catalogue::*;
use chassis_faults::{Catalogue, Fault, params, params::count, spec::work};
use chassis_http::catalogue::*;
use chassis_kafka::catalogue::*;
use chassis_postgres::catalogue::*;
use chassis_service::catalogue::*;
use chassis_telemetry::catalogue::*;
pub use contracts::subject::ATTRIBUTES as SUBJECT;

/// All points. No `db-deadlock`: every change here is one statement.
pub const CATALOGUE: Catalogue = &[
    &RISKY,
    &HTTP_ERROR,
    &HTTP_LATENCY,
    &HTTP_HANG,
    &HTTP_ABORT,
    &UPSTREAM_ERROR,
    &UPSTREAM_LATENCY,
    &UPSTREAM_UNREACHABLE,
    &DB_LATENCY,
    &DB_ERROR,
    &DB_POOL_EXHAUSTION,
    &DB_LOCK,
    &DB_SLOW_QUERY,
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
    &WRONG_TOTAL,
    &METRICS_GONE,
    &TRACE_DROP,
    &LOG_DROP,
    &CARDINALITY_BOMB,
];

/// `risky`: the hello-world of the lab.
pub const RISKY: Fault = work(
    "risky",
    "`GET /risky` fails with 500 for a share of its calls; 20 % from the start.",
    "`http_requests_total{endpoint=\"/risky\",status=\"500\"}` rises; error spans and one error line per failure.",
)
.ends(
    "The only one that is on from the start. `PUT` tunes it until its ttl, then 20 % return; `DELETE /faults/risky` \
     ends it until the next start; `DELETE /faults` brings the 20 % back unless it was ended.",
)
.baseline("rate=0.2");

params! {
    /// Parameters of `wrong-total`.
    pub struct WrongTotal {
        /// how far off, in cents
        cents: u64 = count("100", 1, 1_000_000),
    }
}

/// `wrong-total`: totals are silently wrong.
pub const WRONG_TOTAL: Fault<WrongTotal> = work(
    "wrong-total",
    "Totals are computed wrongly, by `cents` too much.",
    "No error and no latency: only `order_totals_checked_total{result=\"mismatch\"}` and `revenue_dollars_total` move.",
)
.ends("What was written while it was on stays wrong.");
