//! The store over real sockets, with requests that are signed as a client signs them.

#![allow(clippy::unwrap_used, reason = "helpers of tests may panic, as tests do")]

mod access;
mod client;
mod contract;
mod emulators;
mod faults;
mod process;
mod rig;
mod sweep;
