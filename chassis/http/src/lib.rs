//! HTTP in: the one ordered list of layers that every public router gets, and the pieces that handlers use, with their
//! metrics, traces and faults. Calls to other services are in `chassis-client`.

pub mod catalogue;
mod config;
mod delay;
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
