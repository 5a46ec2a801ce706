//! Types that cross a wire between services: no behaviour but validation of shape.
//!
//! Money is integer cents, ids are UUIDv7, times are RFC 3339 UTC. An event has a `version`; a reader that does not know
//! it dead-letters the message instead of guessing.

pub mod firewall;
pub mod orders;
pub mod problems;
pub mod subject;
pub mod topics;
pub mod users;
mod whole;
