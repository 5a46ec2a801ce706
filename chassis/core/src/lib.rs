//! What every program of the lab stands on, a stand-in as much as a service: configuration from flags and environment, one
//! exit code for bad configuration, who the process is, and whether it is ready.
//!
//! Knows no telemetry, no faults and no protocol.

pub mod config;
mod exit;
mod health;
mod info;

pub use exit::{EXIT_USAGE, exit_code};
pub use health::Readiness;
pub use info::ServiceInfo;
