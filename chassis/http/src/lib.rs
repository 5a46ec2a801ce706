//! Inbound HTTP: the one ordered list of layers of every public router, and what handlers use. Outbound HTTP: one
//! client per peer. Both with metrics, traces and faults.

pub mod catalogue;
pub mod client;
mod config;
pub mod extract;
mod faults;
mod guard;
mod metrics;
mod objects;
mod ports;
pub mod problem;
mod stack;
mod trace;

pub use chassis_serve::{Connection, Server};
pub use config::HttpConfig;
pub use extract::{Json, Path, Query};
pub use faults::{Failure, Render};
pub use ports::settings;
pub use problem::Problem;
pub use stack::stack;
