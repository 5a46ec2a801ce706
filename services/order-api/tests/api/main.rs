//! order-api as a whole: the assembled service on real PostgreSQL, Redis and Kafka protocol, with user-service and
//! order-worker in the same process.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic, as tests do")]

mod contract;
mod contradictions;
mod faults;
mod freshness;
mod idempotency;
mod lab;
mod openapi;
mod outages;
mod pipeline;
mod place_order;
mod poison;
mod process;
mod read_orders;
mod risky;
mod robustness;
mod signatures;
mod sweep;
mod traces;

testkit::broker!();
