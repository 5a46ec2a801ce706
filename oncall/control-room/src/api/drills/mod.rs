//! Drills: the list, runs, what a responder says in one, reports. Answers are what the viewer may see.

pub(crate) mod list;
pub(crate) mod runs;
pub(crate) mod talk;
