//! The answers of `http-error`: made where the service's own failures are made, so that body, log line and cause are those
//! of a real one.

use std::{
    io::{Error, ErrorKind},
    sync::{Arc, OnceLock},
    time::Duration,
};

use http::StatusCode;

use super::Strike;
use crate::{
    db::DbError,
    http::{Problem, overtime},
};

/// How a service answers when its database fails.
type Render = fn(DbError) -> Problem;

/// What failures look like in one process. Cheap to clone.
#[derive(Clone)]
pub(super) struct Failures {
    render: Arc<OnceLock<Render>>,
    timeout: Duration,
}

impl Failures {
    pub(super) fn new(timeout: Duration) -> Self {
        Self { render: Arc::default(), timeout }
    }

    /// The first one that is told stays.
    pub(super) fn look_like(&self, render: Render) {
        let _ = self.render.set(render);
    }

    /// The answer with the plan's `status`.
    pub(super) fn of(&self, strike: &Strike) -> Problem {
        let code = u16::try_from(strike.count("status")).unwrap_or(500);
        let render = self.render.get().copied().unwrap_or(plain);
        let problem = match code {
            503 => render(sqlx::Error::Io(Error::from(ErrorKind::ConnectionReset)).into()),
            504 => overtime(self.timeout),
            // A column that an earlier version did not have, or not like this.
            _ => render(sqlx::Error::ColumnNotFound("updated_at".to_owned()).into()),
        };
        Problem { status: StatusCode::from_u16(code).unwrap_or(problem.status), ..problem }
    }
}

/// Where a service has not said how it looks.
#[expect(clippy::needless_pass_by_value, reason = "a service's own keeps the cause")]
fn plain(error: DbError) -> Problem {
    let problem = match error {
        DbError::Unavailable(_) => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "storage-unavailable",
            "Storage unavailable",
            "The database does not answer. Try again.",
        )
        .retry_after(1),
        _ => Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Internal error",
            "The request could not be completed.",
        ),
    };
    problem.because(&error)
}
