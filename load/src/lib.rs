//! The load generator: decides what to send and when, sends it, and measures from the moment it was due.
//!
//! * [`schedule`] -- when: arrival times at a rate, constant or Poisson.
//! * [`mix`] and [`workload`] -- what: operations by weight, users by a Zipf distribution, all from one seed.
//! * [`target`] and [`http`] -- sending: the one trait of this crate, and its HTTP implementation.
//! * [`driver`] -- open loop (an arrival rate that never waits) and closed loop (N callers, for benchmarks).
//! * [`record`] and [`summary`] -- measuring, from the intended start and from the actual one.
//! * [`config`] and [`admin`] -- the command and its admin port.
//!
//! An open loop must not slow down when the system does: this keeps a freeze visible in the percentiles
//! (Gil Tene, "How NOT to Measure Latency"; the term is coordinated omission).

pub mod admin;
pub mod config;
pub mod driver;
mod failures;
pub mod http;
pub mod mix;
pub mod record;
pub mod schedule;
pub mod summary;
pub mod target;
pub mod workload;
