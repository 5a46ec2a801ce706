//! order-api as a whole: the assembled service on real PostgreSQL, Redis and Kafka protocol, with user-service and
//! order-worker in the same process. What holds across the three is in `tests/pipeline`.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic, as tests do")]

mod contract;
mod contradictions;
mod faults;
mod freshness;
mod idempotency;
mod instructions;
mod migrations;
mod openapi;
mod place_order;
mod poison;
mod process;
mod read_orders;
mod risky;
mod robustness;
mod signatures;
mod sweep;
mod traces;

// The three services in one process.
use pipeline as lab;

testkit::broker!();
