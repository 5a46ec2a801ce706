//! Clients of what observes the lab, wherever it runs: Prometheus, Alertmanager, the trace store, logs, the pager.
//!
//! A client knows one address and nothing of who serves it: a lab on this machine, a cluster through a port-forward, or an
//! installation of your own. It must not depend on a service or on the chassis. Plain HTTP: the workspace has no TLS.

pub mod alertmanager;
mod error;
pub mod logs;
pub mod pager;
mod peer;
pub mod prometheus;
pub mod traces;

pub use self::{
    alertmanager::Alertmanager, error::Error, pager::Pager, peer::Peer, prometheus::Prometheus,
    traces::Jaeger,
};

/// What a client answers.
pub type Result<T> = std::result::Result<T, Error>;
