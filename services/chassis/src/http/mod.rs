//! HTTP in: the one ordered list of layers that every public router gets, and the pieces that handlers use.

pub mod abort;
pub mod extract;
mod guard;
mod metrics;
pub mod problem;
mod server;
mod stack;
mod trace;

pub use abort::{AbortableListener, ConnectionAbort};
pub use extract::{Json, Path, Query};
pub(crate) use guard::overtime;
pub use problem::Problem;
pub use server::Server;
pub use stack::stack;
