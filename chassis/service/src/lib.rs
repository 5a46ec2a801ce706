//! The life of a program: [`App`], [`lifecycle::run`], the admin port, and the faults of the process itself.
//!
//! The roof of the chassis: services, stand-ins and the load generator share one life cycle. Nothing is global: all state hangs off a [`Chassis`], so two copies of a service run in one
//! test process.

mod admin;
mod app;
pub mod catalogue;
mod config;
mod faults;
pub mod lifecycle;
mod place;
mod start;

pub use app::{App, Port};
pub use chassis_core::ServiceInfo;
pub use chassis_telemetry::Chassis;
pub use config::{CommonConfig, PlainConfig};
