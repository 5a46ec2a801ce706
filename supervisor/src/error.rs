//! Why parts cannot be run, in words for people.

use std::{
    io,
    path::{Path, PathBuf},
    process::ExitStatus,
};

use crate::ports::Outgoing;

/// What the supervisor answers.
pub type Result<T> = std::result::Result<T, Error>;

/// Why parts cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something could not be done to a file or folder.
    #[error("cannot {doing} {}: {cause}", .path.display())]
    File {
        /// What.
        doing: &'static str,
        /// To which.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The state file is of another version, or damaged.
    #[error("{} is not a state of this version of lab: {cause}", .path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: serde_json::Error,
    },
    /// A value cannot be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The system refused what has no name: to wait for a child, to copy a handle.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A program cannot be started.
    #[error("cannot run {}: {cause}", .program.display())]
    Program {
        /// The program.
        program: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// A program ended that should have gone on, or should have succeeded.
    #[error("{what} ended with {status}")]
    Ended {
        /// The program.
        what: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// The lab was stopped while a program prepared a part.
    #[error("stopped while {0} ran")]
    Stopped(String),
    /// A part did not come up.
    #[error("{part} did not come up: {reason}")]
    NotUp {
        /// The part.
        part: String,
        /// Why.
        reason: String,
    },
    /// A part needs one that is not there: a mistake in the table.
    #[error("{part} needs {missing}, which is not in the table")]
    NoPart {
        /// The part.
        part: String,
        /// What it needs.
        missing: String,
    },
    /// A process of an earlier lab survives even SIGKILL, or belongs to another user.
    #[error("process {0} of an earlier lab cannot be stopped: end it and try again")]
    Survivor(u32),
    /// An offset reaches the ports of outgoing connections.
    #[error(
        "an offset of {offset} moves {name} ({number}) to {}, among the ports that the system gives to outgoing connections \
         ({outgoing}): at most {most}",
        .number + .offset
    )]
    OffsetStrays {
        /// The offset.
        offset: u16,
        /// The port.
        name: &'static str,
        /// Its number without an offset.
        number: u16,
        /// Those ports.
        outgoing: Outgoing,
        /// The largest offset that does not.
        most: u16,
    },
    /// An offset leaves the range of ports.
    #[error("an offset of {offset} moves {name} ({number}) beyond 65535")]
    OffsetTooLarge {
        /// The offset.
        offset: u16,
        /// The port.
        name: &'static str,
        /// Its number without an offset.
        number: u16,
    },
    /// Two ports have the same number.
    #[error("{0} and {1} cannot both have port {2}")]
    SamePort(&'static str, &'static str, u16),
    /// Ports that others hold: a sentence for each.
    #[error("{}", .0.join("\n"))]
    PortsTaken(Vec<String>),
}

/// Names the file or folder that an error of the system is about.
pub(crate) trait About<T> {
    /// `doing` completes "cannot ... FILE".
    fn about(self, doing: &'static str, path: &Path) -> Result<T>;
}

impl<T> About<T> for io::Result<T> {
    fn about(self, doing: &'static str, path: &Path) -> Result<T> {
        self.map_err(|cause| Error::File { doing, path: path.to_owned(), cause })
    }
}
