//! Reads a dashboard's JSON back and checks it, generated or not. Used by the tests of this crate and by the lab's
//! own.

pub mod lint;
pub mod names;
pub mod promql;
pub mod read;
