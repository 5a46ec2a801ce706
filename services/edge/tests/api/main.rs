//! The edge as a whole, over real sockets, in front of small upstreams of which each says who it is.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic, as tests do")]

mod canary;
mod contract;
mod drain;
mod failures;
mod faults;
mod firewall;
mod limits;
mod passing;
mod process;
mod reload;
mod replicas;
mod rig;
mod runaway;
mod shared;
mod sweep;
