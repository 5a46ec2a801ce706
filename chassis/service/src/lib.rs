//! The life of a program: [`App`], [`lifecycle::run`], the admin port, and the faults of the process itself.
//!
//! The top of the chassis. Nothing here is global: all state is in a [`Chassis`], so two copies of a service can run in one
//! test process.

pub mod admin;
mod app;
pub mod catalogue;
mod config;
mod faults;
pub mod lifecycle;
mod start;

pub use app::App;
pub use chassis_core::ServiceInfo;
pub use chassis_telemetry::Chassis;
pub use config::CommonConfig;
