//! The errors on the wire: one row per case.

use axum::response::{IntoResponse, Response};
use chassis_http::Problem;
use contracts::problems as p;
use http::StatusCode as S;

use crate::domain::UserError;

/// A domain error on its way out of a handler.
#[derive(Debug)]
pub struct ApiError(pub UserError);

impl From<UserError> for ApiError {
    fn from(error: UserError) -> Self {
        Self(error)
    }
}

/// The table.
#[must_use]
pub fn problem(error: &UserError) -> Problem {
    match error {
        UserError::NotFound => {
            Problem::new(S::NOT_FOUND, p::NOT_FOUND, "Not found", "There is no such user.")
        }
        UserError::EmailTaken => {
            Problem::new(S::CONFLICT, p::EMAIL_TAKEN, "E-mail taken", "Another user has this e-mail address.")
                .field("/email", "an address that no other user has")
        }
        UserError::Invalid(fields) => fields.iter().fold(
            Problem::new(
                S::BAD_REQUEST,
                p::INVALID_REQUEST,
                "Invalid request",
                "The request has fields that are not valid.",
            ),
            |problem, field| problem.field(field.name, field.expected),
        ),
        UserError::Unavailable(_) => Problem::new(
            S::SERVICE_UNAVAILABLE,
            p::STORAGE_UNAVAILABLE,
            "Storage unavailable",
            "The database of users does not answer.",
        )
        .retry_after(1)
        .because(error),
        UserError::Overloaded => Problem::new(
            S::SERVICE_UNAVAILABLE,
            p::STORAGE_UNAVAILABLE,
            "Storage unavailable",
            "Too many reads wait for the database of users.",
        )
        .retry_after(1)
        .because(error),
        UserError::Unexpected(_) => Problem::new(
            S::INTERNAL_SERVER_ERROR,
            p::INTERNAL,
            "Internal error",
            "Something unexpected failed.",
        )
        .because(error),
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        problem(&self.0).into_response()
    }
}
