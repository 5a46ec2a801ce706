//! The answers of `http-error`: built where the service builds its own, so that body, log line and cause are those
//! of a real one.

use std::{
    io::{Error, ErrorKind},
    time::Duration,
};

use chassis_faults::Strike;
use http::StatusCode;

use crate::{Problem, catalogue::HttpError, guard::overtime, problems::STORAGE_UNAVAILABLE};

/// The failure of the storage behind a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The connection to it broke.
    Lost,
    /// It lacks a column that the service selects.
    Mismatched,
}

/// How a service answers when its storage fails.
pub type Render = fn(Failure) -> Problem;

/// What failures look like in one process.
#[derive(Clone)]
pub(crate) struct Failures {
    render: Render,
    timeout: Duration,
}

impl Failures {
    pub(crate) fn new(render: Option<Render>, timeout: Duration) -> Self {
        Self { render: render.unwrap_or(plain), timeout }
    }

    /// The answer with the plan's `status`.
    pub(crate) fn of(&self, strike: &Strike<HttpError>) -> Problem {
        let code = u16::try_from(strike.params.status).unwrap_or(500);
        let problem = match code {
            503 => (self.render)(Failure::Lost),
            504 => overtime(self.timeout),
            _ => (self.render)(Failure::Mismatched),
        };
        Problem { status: StatusCode::from_u16(code).unwrap_or(problem.status), ..problem }
    }
}

/// For a service that does not render its own.
fn plain(failure: Failure) -> Problem {
    match failure {
        Failure::Lost => Problem::new(&STORAGE_UNAVAILABLE, "The storage does not answer. Try again.")
            .retry_after(1)
            .because(&Error::from(ErrorKind::ConnectionReset)),
        Failure::Mismatched => {
            Problem::internal().because(&Error::other("no column found for name: updated_at"))
        }
    }
}
