//! What every service of the lab stands on: configuration, life cycle, admin port, telemetry, HTTP in and out,
//! PostgreSQL, Redis, Kafka, outbox and inbox, faults and protections.
//!
//! The chassis knows no business word ("order", "user"): services hand it names, tables and fault points.
//! Nothing here is global: all state hangs off a [`Chassis`], so two copies of a service run in one test process.

pub mod admin;
pub mod cache;
pub mod client;
pub mod config;
pub mod db;
pub mod fault;
pub mod health;
pub mod http;
pub mod inbox;
pub mod kafka;
pub mod lifecycle;
pub mod outbox;
pub mod protection;
pub mod scope;
pub mod telemetry;

pub use config::CommonConfig;
pub use health::Readiness;
pub use lifecycle::{App, Chassis, ServiceInfo};
