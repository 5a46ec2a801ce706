//! Logs: the files of a lab on this machine, or the contents of Loki.

pub mod access;
mod files;
mod line;
mod loki;
mod tally;

pub use self::{
    files::Follower,
    line::{LEVELS, Line, parse},
    loki::{Loki, Wanted},
};
