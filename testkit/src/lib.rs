//! Real dependencies for tests: PostgreSQL, Redis, a Kafka broker, a TCP proxy that misbehaves, and assertions on
//! metrics and traces. May use chassis and contracts, never a service. The crate's README is a tour.
//!
//! Invariant: nothing that a test starts outlives the test process, however that process ends.

mod chaos;
mod eventually;
pub mod golden;
mod http;
mod kafka;
mod kafka_raw;
mod metrics;
mod needs;
mod postgres;
mod process;
mod redis;
pub mod sweep;
mod tether;
mod traces;

pub use chaos::ChaosProxy;
pub use eventually::eventually;
pub use http::{Answer, Http};
pub use kafka::{Kafka, Record, Sender};
pub use metrics::{Family, Scrape};
pub use needs::{Need, available, schemathesis};
pub use postgres::Postgres;
pub use process::{Process, free_addr};
pub use reconcile as invariants;
pub use redis::Redis;
pub use traces::{Span, TraceSink, assert_child, assert_linked};
