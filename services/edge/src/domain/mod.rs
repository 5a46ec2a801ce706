//! The rules of the edge: which route a request takes, who answers it, what may be repeated, who has asked
//! too often, and what looks like an attack. Pure: no I/O, and every time is passed in, counted from the
//! start of the process.

pub mod balance;
pub mod bucket;
pub mod budget;
pub mod drain;
pub mod outlier;
pub mod retry;
pub mod split;
pub mod table;
mod values;
pub mod waf;
