//! Lines that a pool of connections writes at level `debug`. They are declared here because the fault `log-flood` writes the same
//! ones at level `info`, as if somebody had raised them.

/// The module that writes them.
pub const TARGET: &str = "chassis_postgres::pool";
/// What the log says of each use of a connection.
pub const ACQUIRED: &str = "connection acquired";
/// The same for its end.
pub const RELEASED: &str = "connection released";
