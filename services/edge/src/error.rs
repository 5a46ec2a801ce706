//! Why a request got no answer from a service, and the one table that says what the client gets instead.

use std::{io, sync::Arc, time::Duration};

use chassis_http::{
    Problem,
    problems::{INVALID_REQUEST, NOT_FOUND, OVERLOADED, UPSTREAM_UNAVAILABLE},
};
use http::StatusCode;

use crate::{
    adapters::Failed,
    domain::retry::Failure,
    problems::{BAD_GATEWAY, GATEWAY_TIMEOUT, REQUEST_BLOCKED, TOO_MANY_REQUESTS},
};

/// Seconds after which a caller may try again: about the time in which another replica takes over.
const RETRY_AFTER: u32 = 1;

/// How it answers when something in itself fails: `http-error` answers the same. It has no storage that could
/// be lost; without room for a request, it sheds load.
pub(crate) fn own(failure: chassis_http::Failure) -> Problem {
    match failure {
        chassis_http::Failure::Lost => {
            let problem = Problem::new(&OVERLOADED, "Too many requests are in flight. Try again.");
            problem.retry_after(RETRY_AFTER)
        }
        chassis_http::Failure::Mismatched => {
            Problem::internal().because(&io::Error::other("invalid HTTP header parsed"))
        }
    }
}

/// Why the edge answers by itself.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// No route covers the request.
    #[error("no route covers the request")]
    NoRoute,
    /// The body did not arrive as a whole.
    #[error("the body is incomplete")]
    Incomplete,
    /// The client has asked too often.
    #[error("the client has asked too often")]
    Limited {
        /// Time until it may again.
        wait: Duration,
    },
    /// A rule of the firewall found it.
    #[error("rule {0} found the request")]
    Blocked(Arc<str>),
    /// The firewall gave no verdict.
    #[error("the firewall gave no verdict within {}", humantime::format_duration(*.after))]
    Stuck {
        /// How long the request waited.
        after: Duration,
    },
    /// The upstream has never answered, and this edge started a moment ago.
    #[error("{upstream} has not answered since this edge started: {cause}")]
    Starting {
        /// The upstream.
        upstream: Arc<str>,
        /// What the last attempt ended with.
        cause: String,
    },
    /// No replica answered.
    #[error("{upstream} did not answer, {attempts} attempts: {cause}")]
    Unanswered {
        /// The upstream.
        upstream: Arc<str>,
        /// Attempts that were made.
        attempts: u64,
        /// What the last one ended with.
        cause: String,
        /// Whether it was the time that ended it.
        late: bool,
    },
}

impl EdgeError {
    /// After the last attempt.
    #[must_use]
    pub fn unanswered(upstream: &Arc<str>, attempts: u64, failed: Failed) -> Self {
        let late = failed.failure == Failure::Late;
        Self::Unanswered { upstream: Arc::clone(upstream), attempts, cause: failed.cause, late }
    }

    /// The status that the client sees.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NoRoute => NOT_FOUND.status,
            Self::Incomplete => INVALID_REQUEST.status,
            Self::Limited { .. } => TOO_MANY_REQUESTS.status,
            Self::Blocked(_) => REQUEST_BLOCKED.status,
            Self::Starting { .. } => UPSTREAM_UNAVAILABLE.status,
            Self::Stuck { .. } | Self::Unanswered { late: false, .. } => BAD_GATEWAY.status,
            Self::Unanswered { late: true, .. } => GATEWAY_TIMEOUT.status,
        }
    }
}

impl From<EdgeError> for Problem {
    fn from(error: EdgeError) -> Self {
        use EdgeError as E;
        match &error {
            E::NoRoute => Self::new(&NOT_FOUND, "There is no such route."),
            E::Incomplete => Self::invalid("body", "a complete body"),
            E::Limited { wait } => {
                Self::new(&TOO_MANY_REQUESTS, "You have sent too many requests.").retry_after(seconds(*wait))
            }
            // Not which rule: that would only help to get around it. The access log has it, under the trace id.
            E::Blocked(_) => Self::new(&REQUEST_BLOCKED, "The request looks like an attack."),
            E::Stuck { .. } => Self::new(&BAD_GATEWAY, "The request could not be sent on. Try again.")
                .retry_after(RETRY_AFTER)
                .because(&error),
            E::Starting { .. } => {
                Self::new(&UPSTREAM_UNAVAILABLE, "The service behind the edge is not up yet. Try again.")
                    .retry_after(RETRY_AFTER)
                    .because(&error)
            }
            E::Unanswered { late: false, .. } => {
                Self::new(&BAD_GATEWAY, "The service behind the edge does not answer. Try again.")
                    .retry_after(RETRY_AFTER)
                    .because(&error)
            }
            E::Unanswered { late: true, .. } => {
                Self::new(&GATEWAY_TIMEOUT, "The service behind the edge did not answer in time.")
                    .because(&error)
            }
        }
    }
}

/// Whole seconds, at least one: `Retry-After` has no smaller unit.
fn seconds(wait: Duration) -> u32 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    u32::try_from(seconds).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_that_of_the_problem() {
        let unanswered = |late| EdgeError::Unanswered {
            upstream: "order-api".into(),
            attempts: 3,
            cause: "connection refused".to_owned(),
            late,
        };
        for error in [
            EdgeError::NoRoute,
            EdgeError::Incomplete,
            EdgeError::Limited { wait: Duration::from_millis(1200) },
            EdgeError::Blocked("sql-injection".into()),
            EdgeError::Stuck { after: Duration::from_millis(500) },
            EdgeError::Starting { upstream: "order-api".into(), cause: "connection refused".to_owned() },
            unanswered(true),
            unanswered(false),
        ] {
            let (status, text) = (error.status(), error.to_string());
            let problem = Problem::from(error);
            assert_eq!(problem.status, status, "{text}");
            assert_eq!(problem.cause.is_some(), status.is_server_error(), "{text}");
            assert!(!problem.detail.contains("sql-injection"), "{text}");
        }
        assert_eq!(seconds(Duration::from_millis(1200)), 2);
    }
}
