//! Logs: the files of a lab on this machine, or what Loki has.

mod files;
mod line;
mod loki;

pub use self::{
    files::Follower,
    line::{LEVELS, Line, parse},
    loki::Loki,
};
