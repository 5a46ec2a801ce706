//! Real dependencies for tests: PostgreSQL, Redis, a Kafka broker, a TCP proxy that misbehaves, and assertions on
//! metrics and traces. May use chassis and contracts, never a service. The crate's README is a tour.
//!
//! Invariant: nothing that a test starts outlives the test process, however that process ends.

mod alertmanager;
mod chaos;
mod claim;
mod eventually;
pub mod golden;
mod http;
mod kafka;
mod kafka_raw;
mod metrics;
mod needs;
mod openapi;
mod opensearch;
mod panics;
mod ports;
mod postgres;
mod process;
mod redis;
pub mod sweep;
mod tether;
mod traces;

pub use alertmanager::Alertmanager;
pub use chaos::ChaosProxy;
pub use claim::Claim;
pub use eventually::{eventually, eventually_every};
pub use http::{Answer, Http};
pub use kafka::{Kafka, Record, Sender, serve_broker};
pub use metrics::{Family, Scrape};
pub use needs::{Need, available, axe, chromedriver, chromium, localstack, s3_emulator, schemathesis};
pub use openapi::conforms;
pub use opensearch::OpenSearch;
pub use panics::panics_shown;
pub use ports::free_addr;
pub use postgres::Postgres;
pub use process::Process;
pub use reconcile as invariants;
pub use redis::Redis;
pub use traces::{Span, TraceSink, assert_child, assert_linked};
