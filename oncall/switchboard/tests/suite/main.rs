//! What changes the system, against what it changes: real stores, a real Alertmanager, the supervisor, the
//! routes of the load generator. Only kubectl is a script, and edges are their admin routes.

#![allow(clippy::unwrap_used, reason = "tests: a panic is how they fail")]

mod alertmanager;
mod cluster;
mod databases;
mod drain;
mod edges;
mod keys;
mod rate;
mod restart;
mod support;
