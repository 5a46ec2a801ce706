//! What can go wrong for a caller, and the one table that says how it looks on the wire.

use axum::response::{IntoResponse, Response};
use chassis_client::ClientError;
use chassis_core::Fields;
use chassis_http::{
    Problem,
    problems::{NOT_FOUND, STORAGE_UNAVAILABLE, UPSTREAM_UNAVAILABLE},
};
use chassis_postgres::DbError;
use contracts::problems::{IDEMPOTENCY_CONFLICT, USER_NOT_FOUND};

use crate::adapters::BackendError;

/// Seconds after which a caller may try again: about the time in which a breaker probes or a connection comes back.
const RETRY_AFTER: u32 = 1;

/// Why a request was not done; each variant is something that a caller does differently.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// Fields that are missing or wrong.
    #[error("the request is not valid")]
    Invalid(Fields),
    /// The order's user does not exist.
    #[error("no such user")]
    UserNotFound,
    /// No such order.
    #[error("no such order")]
    NotFound,
    /// The idempotency key belongs to another request.
    #[error("the idempotency key was used for another order")]
    IdempotencyConflict,
    /// user-service gave no usable answer.
    #[error("users cannot be checked")]
    Users(#[source] ClientError),
    /// The database did not do it.
    #[error("orders cannot be stored or read")]
    Storage(#[from] DbError),
    /// The backend of `/risky` failed.
    #[error("the backend failed")]
    Backend(#[from] BackendError),
}

impl From<Fields> for OrderError {
    fn from(wrong: Fields) -> Self {
        Self::Invalid(wrong)
    }
}

impl From<OrderError> for Problem {
    fn from(error: OrderError) -> Self {
        use OrderError as E;
        match &error {
            E::Invalid(wrong) => wrong.clone().into(),
            E::UserNotFound => Self::new(&USER_NOT_FOUND, "The order names a user that does not exist.")
                .field("/user_id", "the id of an existing user"),
            E::NotFound => Self::new(&NOT_FOUND, "There is no order with this id."),
            E::IdempotencyConflict => {
                Self::new(&IDEMPOTENCY_CONFLICT, "The idempotency key was used before, for another order.")
                    .field("Idempotency-Key", "a key that was not used for another order")
            }
            E::Users(_) => Self::new(&UPSTREAM_UNAVAILABLE, "The user could not be checked. Try again.")
                .retry_after(RETRY_AFTER)
                .because(&error),
            E::Storage(DbError::PoolTimeout | DbError::Unavailable(_) | DbError::Conflict(_)) => {
                Self::new(&STORAGE_UNAVAILABLE, "The order database does not answer. Try again.")
                    .retry_after(RETRY_AFTER)
                    .because(&error)
            }
            E::Storage(_) | E::Backend(_) => Self::internal().because(&error),
        }
    }
}

impl IntoResponse for OrderError {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
