//! Logs: the files of a lab on this machine, or the contents of Loki or OpenSearch.

pub mod access;
mod backlog;
mod files;
mod line;
mod loki;
mod opensearch;
mod tail;
mod tally;

pub use self::{
    backlog::{Backlog, Batch, Mark, Marks, Section},
    files::Follower,
    line::{LEVELS, Line, parse},
    loki::{Loki, Wanted},
    opensearch::{Answer, OpenSearch, Retention},
};
