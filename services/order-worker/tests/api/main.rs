//! order-worker as a whole: the assembled service on real PostgreSQL and Kafka protocol.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic, as tests do")]

mod admin;
mod bad_messages;
mod contract;
mod faults;
mod outages;
mod payments;
mod poison;
mod process;
mod redrive;
mod signatures;
mod sweep;
mod worker;

testkit::broker!();
