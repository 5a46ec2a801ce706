//! The HTTP server of every program of the lab: an accept loop that a slow, stalled or hostile client cannot hold up.
//!
//! * `server` -- binds, accepts, drains.
//! * `limits` -- what can be set: deadlines, bounds, names.
//! * `connection` -- the turns of a connection, and the time limits of a client's turn.
//! * `crowd` -- all connections of a port: which one is closed when there are too many.
//! * `exchange`, `body` -- one request and its answer; a request is read completely before it is handled.
//! * `gate`, `hosts` -- `Host` and `Origin`: which requests a foreign web page may have sent.
//!
//! It knows no faults, metrics or business logic: a program passes routes, and a hook that is called on every refusal.

pub mod body;
mod clock;
mod connection;
mod crowd;
mod exchange;
mod gate;
mod hosts;
mod limits;
mod port;
pub mod problem;
mod server;
mod stream;

pub use body::{BodyError, read, whole_requests};
pub use connection::Connection;
pub use hosts::HostName;
pub use limits::{Limits, OnRefusal, Protocol, Refusal, Settings};
pub use server::Server;
