//! The repository of desired state: a bare Git repository in the lab's folder, worked on with the program `git`.
//!
//! * [`Repository`] -- what should run now, commits, and the log.
//! * `proposals` -- a commit waits on a branch of its own until somebody else approves it.
//! * `revert` -- commits are taken back by a commit.
//! * `gate` -- what the `pre-receive` hook asks about each commit that is pushed.
//!
//! Whether a commit may be what should run is decided by [`release::gate`]; here is only the Git.

mod error;
mod gate;
mod git;
mod proposals;
mod repository;
mod revert;

pub use self::{
    error::{Error, Result},
    gate::{Pushed, pushed, short},
    proposals::Proposal,
    repository::{Logged, MAIN, NewCommit, Repository},
};
