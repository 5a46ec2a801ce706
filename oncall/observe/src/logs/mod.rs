//! Logs: the files of a lab on this machine, or the contents of Loki or OpenSearch.

mod backlog;
mod files;
mod line;
mod loki;
mod opensearch;
mod tail;

pub use self::{
    backlog::{Backlog, Batch, Mark, Marks, Section},
    files::Follower,
    line::{LEVELS, Line, parse},
    loki::Loki,
    opensearch::{Answer, OpenSearch, Retention},
};
