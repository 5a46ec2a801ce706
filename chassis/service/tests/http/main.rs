//! The HTTP stack, assembled and called over real sockets.

mod admin;
mod bad_input;
mod clients;
mod drain;
mod failures;
mod metrics;
mod plain;
mod replacing;
mod shedding;
#[path = "../support/mod.rs"]
mod support;
