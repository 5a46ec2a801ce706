//! Lines that a pool of connections writes at level `debug`. They are declared here because the fault `log-flood` writes the same
//! ones at level `info`, as if someone had raised them.

/// The module that writes them.
pub const TARGET: &str = "chassis_postgres::pool";
/// The log line for each acquired connection.
pub const ACQUIRED: &str = "connection acquired";
/// The log line for its release.
pub const RELEASED: &str = "connection released";
