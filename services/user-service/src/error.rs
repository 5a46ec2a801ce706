//! What goes wrong on the wire: one row per case.

use axum::response::{IntoResponse, Response};
use chassis_core::Fields;
use chassis_http::{
    Problem,
    problems::{INTERNAL, NOT_FOUND, OVERLOADED, STORAGE_UNAVAILABLE},
};
use contracts::problems::EMAIL_TAKEN;

use crate::domain::UserError;

/// Seconds after which a caller may try again.
const RETRY_AFTER: u32 = 1;

/// A domain error on its way out of a handler.
#[derive(Debug)]
pub struct ApiError(pub UserError);

impl From<UserError> for ApiError {
    fn from(error: UserError) -> Self {
        Self(error)
    }
}

impl From<Fields> for ApiError {
    fn from(wrong: Fields) -> Self {
        Self(UserError::Invalid(wrong))
    }
}

/// The table.
#[must_use]
pub fn problem(error: &UserError) -> Problem {
    use UserError as E;
    match error {
        E::NotFound => Problem::new(&NOT_FOUND, "There is no such user."),
        E::EmailTaken => Problem::new(&EMAIL_TAKEN, "Another user has this e-mail address.")
            .field("/email", "an address that no other user has"),
        E::Invalid(wrong) => wrong.clone().into(),
        E::Unavailable(_) => Problem::new(&STORAGE_UNAVAILABLE, "The database of users does not answer.")
            .retry_after(RETRY_AFTER)
            .because(error),
        E::Overloaded => Problem::new(&OVERLOADED, "Too many reads wait for the database of users.")
            .retry_after(RETRY_AFTER)
            .because(error),
        E::Unexpected(_) => Problem::new(&INTERNAL, "Something unexpected failed.").because(error),
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        problem(&self.0).into_response()
    }
}
