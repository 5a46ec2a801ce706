//! Reads a dashboard's JSON back and judges it, whoever wrote it. The tests of this crate and the live test of the lab use it.

pub mod lint;
pub mod names;
pub mod promql;
pub mod read;
