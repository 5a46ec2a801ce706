//! What every program of the lab, service or stand-in, is built on: configuration from flags and environment, one
//! exit code for bad configuration, the identity of the process, and its readiness.
//!
//! Depends on no telemetry, faults or protocol.

pub mod config;
mod exit;
mod health;
mod info;

pub use exit::{EXIT_USAGE, exit_code};
pub use health::Readiness;
pub use info::ServiceInfo;
