//! HTTP in: the one ordered list of layers that every public router gets, and the pieces that handlers use.

pub mod extract;
mod guard;
mod metrics;
mod objects;
mod ports;
pub mod problem;
mod stack;
mod trace;

pub use extract::{Json, Path, Query};
pub(crate) use guard::overtime;
pub use ports::settings;
pub use problem::Problem;
pub use serve::{Connection, Server};
pub use stack::stack;
