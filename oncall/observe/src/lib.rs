//! Clients of the systems that observe the lab, wherever they run: Prometheus, Alertmanager, the trace store, logs, the
//! control room and the pager.
//!
//! A client knows an address, but not who serves it: a lab on this machine, a cluster through a port-forward, or
//! your own installation. It must not depend on a service or on the chassis. Plain HTTP: the workspace has no TLS.

pub mod alertmanager;
pub mod control_room;
mod error;
pub mod logs;
mod peer;
pub mod prometheus;
pub mod traces;

pub use self::{
    alertmanager::Alertmanager,
    control_room::ControlRoom,
    error::Error,
    peer::{Peer, innermost},
    prometheus::Prometheus,
    traces::Jaeger,
};

/// The result of a call.
pub type Result<T> = std::result::Result<T, Error>;
