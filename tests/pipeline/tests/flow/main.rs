//! From the accepted order to its outcome, and what callers see while something is down: order-api, user-service and order-worker
//! in one process, on real PostgreSQL, Redis and Kafka protocol.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic, as tests do")]

mod orders;
mod outages;

testkit::broker!();
