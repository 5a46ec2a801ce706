//! The protocol at `/mcp` as a client speaks it, JSON-RPC over HTTP and no library; and the same functions as
//! plain routes.

#[path = "../api/rig.rs"]
#[allow(dead_code, reason = "shared with tests/api")]
mod rig;

mod agent;
mod calls;
mod refusals;
mod routes;
