//! The control room's own problem types, and the one table that says how its errors look on the wire.

use chassis_http::{
    Problem,
    problems::{INVALID_REQUEST, NOT_FOUND, STORAGE_UNAVAILABLE, UPSTREAM_UNAVAILABLE},
};
use incident::Refused;
use release::run::Refused as Halted;
use runbook::run::Refused as Stopped;

use crate::error::Error;

chassis_core::problem_types! {
    /// It is for instructors, or for somebody else.
    FORBIDDEN = 403, "forbidden", "Not for you";
    /// Somebody else changed it meanwhile.
    CONFLICT = 409, "conflict", "Changed meanwhile";
    /// The life cycle of the incident does not allow it.
    NOT_NOW = 409, "not-now", "Not possible now";
}

/// Seconds after which a caller may try again.
const RETRY_AFTER: u32 = 1;

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let text = sentence(&error.to_string());
        match &error {
            Error::NoIncident(_) | Error::NoSuch { .. } => Self::new(&NOT_FOUND, text),
            Error::Field { field, expected } => Self::invalid(field, expected),
            Error::Fields(fields) => {
                let problem = Self::new(&INVALID_REQUEST, "The request has fields that are not valid.");
                fields.iter().fold(problem, |problem, (field, expected)| problem.field(field, expected))
            }
            Error::Refused(Refused::Unknown { .. }) => Self::new(&NOT_FOUND, text),
            Error::Refused(Refused::Empty { .. }) => Self::new(&INVALID_REQUEST, text),
            Error::Refused(_) => Self::new(&NOT_NOW, text),
            Error::Runbook(Stopped::Parameters(_) | Stopped::Empty(_)) => Self::new(&INVALID_REQUEST, text),
            Error::Runbook(_) => Self::new(&NOT_NOW, text),
            Error::Release(Halted::Plan(_) | Halted::Empty(_)) => Self::new(&INVALID_REQUEST, text),
            Error::Release(_) => Self::new(&NOT_NOW, text),
            Error::Conflict(_) => Self::new(&CONFLICT, text),
            Error::NotHere { .. } => Self::new(&NOT_NOW, text),
            Error::ForInstructors(_) | Error::NotYours(_) => Self::new(&FORBIDDEN, text),
            Error::Elsewhere(_) => {
                Self::new(&UPSTREAM_UNAVAILABLE, text).retry_after(RETRY_AFTER).because(&error)
            }
            Error::Store(_) => Self::new(
                &STORAGE_UNAVAILABLE,
                "The control room's file does not take or give this. Try again.",
            )
            .retry_after(RETRY_AFTER)
            .because(&error),
            Error::Row(_) => Self::internal().because(&error),
        }
    }
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use incident::{Id, State};

    use super::*;

    #[test]
    fn every_error_has_the_status_that_tells_a_caller_what_to_do() {
        let id = Id(7);
        let refused = |refused: Refused| Error::Refused(refused);
        for (error, status, said) in [
            (Error::NoIncident(id), 404, "There is no INC-7; GET /api/v1/incidents lists those that exist."),
            (Error::field("/title", "a few words"), 400, "The request has a field that is not valid."),
            (
                Error::Fields(vec![("/zone".to_owned(), "a time zone".to_owned())]),
                400,
                "The request has fields that are not valid.",
            ),
            (
                refused(Refused::Transition { id, from: State::Resolved, to: State::Mitigated }),
                409,
                "INC-7 is resolved and cannot become mitigated; it can become active or closed.",
            ),
            (refused(Refused::Unknown { id, what: "task 4".to_owned() }), 404, "INC-7 has no task 4."),
            (
                refused(Refused::Empty { id, what: "the title" }),
                400,
                "INC-7: the title is empty: expected a few words.",
            ),
            (Error::Conflict("version 2 exists".to_owned()), 409, "Version 2 exists."),
            (
                Error::NotHere { what: "no Redis is known".to_owned(), next: "set REDIS_URL".to_owned() },
                409,
                "No Redis is known; set REDIS_URL.",
            ),
            (Error::ForInstructors("it is sealed".to_owned()), 403, "It is sealed."),
            (Error::NotYours("ada has to say it".to_owned()), 403, "Ada has to say it."),
            (
                Error::Runbook(Stopped::Ended("every step is done".to_owned())),
                409,
                "The run is over: every step is done.",
            ),
            (Error::Runbook(Stopped::Empty("the reason")), 400, "The reason is empty: expected a few words."),
            (Error::Elsewhere("Prometheus does not answer".to_owned()), 503, "Prometheus does not answer."),
            (
                Error::Store(sqlx::Error::PoolTimedOut),
                503,
                "The control room's file does not take or give this. Try again.",
            ),
        ] {
            let problem = Problem::from(error);
            assert_eq!((problem.status.as_u16(), &*problem.detail), (status, said));
            assert_eq!(problem.cause.is_some(), problem.status.is_server_error());
        }
    }
}
