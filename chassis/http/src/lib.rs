//! HTTP in: the one ordered list of layers that every public router gets, and the pieces that handlers use, with their
//! metrics, traces and faults. Calls to other services are in `chassis-client`.

pub mod access;
pub mod catalogue;
mod config;
mod delay;
pub mod extract;
mod faults;
mod guard;
mod metrics;
mod objects;
pub mod openapi;
pub mod page;
mod ports;
pub mod problem;
pub mod problems;
mod routes;
mod stack;
mod trace;

pub use chassis_serve::{Connection, Server};
pub use config::HttpConfig;
pub use extract::{Json, Path, Query};
pub use faults::{Failure, Render};
pub use page::Page;
pub use ports::settings;
pub use problem::Problem;
pub use routes::Routes;
pub use stack::stack;
