//! The database boundary, the inbox and the outbox, against a real PostgreSQL server and a broker.

#![expect(clippy::unwrap_used, reason = "helpers of tests, where a panic is the report")]

mod faults;
mod group;
mod inbox;
mod migrations;
mod outbox;
mod pool;
mod resource_faults;
mod throughput;
mod traces;
mod world;

testkit::broker!();
