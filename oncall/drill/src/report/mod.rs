//! The report of a run: for machines ([`junit`]) and for people ([`markdown`]).

pub mod junit;
pub mod markdown;
