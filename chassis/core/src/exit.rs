//! How a process ends.

use std::process::ExitCode;

use crate::config::{EXIT_USAGE, Invalid};

/// What `main` returns: an error is printed on stderr; bad configuration has its own exit code.
#[must_use]
pub fn exit_code(ended: anyhow::Result<()>) -> ExitCode {
    let Err(error) = ended else { return ExitCode::SUCCESS };
    eprintln!("error: {error:#}");
    if error.is::<Invalid>() { ExitCode::from(EXIT_USAGE) } else { ExitCode::FAILURE }
}
