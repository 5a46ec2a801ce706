//! What can go wrong, by what a caller does about it.

use std::io;

/// An error of the repository.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program cannot be run.
    #[error("git cannot be run, is it installed? {0}")]
    Program(#[source] io::Error),
    /// It said no.
    #[error("git {what}: {said}")]
    Git {
        /// Its subcommand.
        what: String,
        /// What it said.
        said: String,
    },
    /// A folder or file cannot be used.
    #[error("{what}: {cause}")]
    Files {
        /// Which.
        what: String,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// Somebody was quicker: look again.
    #[error("somebody has changed it in the meantime: look again, and try once more")]
    Moved,
    /// The commit may not be what should run.
    #[error("refused:\n  {}", .0.join("\n  "))]
    Refused(Vec<String>),
    /// There is no such proposal.
    #[error("there is no proposal {0}: `lab gitops proposals` lists them")]
    NoProposal(u32),
    /// The repository has something that does not belong there.
    #[error("{0}")]
    Odd(String),
}

/// A result of the repository.
pub type Result<T> = std::result::Result<T, Error>;
