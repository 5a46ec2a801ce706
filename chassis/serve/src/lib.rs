//! The HTTP server of every program of the lab: an accept loop that a slow, stalled or hostile client cannot hold up.
//!
//! * `server` -- binds, accepts, drains.
//! * `limits` -- what can be set: deadlines, bounds, names.
//! * `connection` -- whose turn it is on a connection, and how long a client may take for its turn.
//! * `crowd` -- all connections of a port: who is closed when there are too many.
//! * `exchange`, `body` -- one request and its answer; a request is read whole before anybody works on it.
//! * `gate`, `hosts` -- `Host` and `Origin`: which requests a foreign web page may have sent.
//!
//! It knows no faults, no metrics and no business: a program hands in routes, and a hook that is told of every refusal.

pub mod body;
mod clock;
mod connection;
mod crowd;
mod exchange;
mod gate;
mod hosts;
mod limits;
pub mod problem;
mod server;
mod stream;

pub use body::{BodyError, read, whole_requests};
pub use connection::Connection;
pub use hosts::HostName;
pub use limits::{Limits, OnRefusal, Protocol, Refusal, Settings};
pub use server::Server;
