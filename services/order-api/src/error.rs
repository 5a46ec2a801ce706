//! What can go wrong for a caller, and the one table that says how it looks on the wire.

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Response};
use chassis_client::ClientError;
use chassis_http::Problem;
use chassis_postgres::DbError;
use contracts::problems;
use http::StatusCode;

use crate::adapters::BackendError;

/// Why a request was not done; each variant is something that a caller does differently.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// Fields that are missing or wrong: JSON pointer, header or parameter name -> what would be right.
    #[error("the request is not valid")]
    Invalid(BTreeMap<String, String>),
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

impl OrderError {
    /// One wrong field.
    #[must_use]
    pub fn invalid(field: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Invalid(BTreeMap::from([(field.into(), expected.into())]))
    }
}

impl From<OrderError> for Problem {
    fn from(error: OrderError) -> Self {
        use StatusCode as S;
        let problem = match &error {
            OrderError::Invalid(fields) => {
                let problem =
                    Self::new(S::BAD_REQUEST, problems::INVALID_REQUEST, "Invalid request", INVALID);
                return fields.iter().fold(problem, |p, (name, expected)| p.field(name, expected));
            }
            OrderError::UserNotFound => {
                return Self::new(
                    S::UNPROCESSABLE_ENTITY,
                    problems::USER_NOT_FOUND,
                    "User not found",
                    NO_USER,
                )
                .field("/user_id", "the id of an existing user");
            }
            OrderError::NotFound => {
                return Self::new(S::NOT_FOUND, problems::NOT_FOUND, "Not found", NO_ORDER);
            }
            OrderError::IdempotencyConflict => {
                return Self::new(
                    S::CONFLICT,
                    problems::IDEMPOTENCY_CONFLICT,
                    "Idempotency conflict",
                    CONFLICT,
                )
                .field("Idempotency-Key", "a key that was not used for another order");
            }
            OrderError::Users(_) => Self::new(
                S::SERVICE_UNAVAILABLE,
                problems::UPSTREAM_UNAVAILABLE,
                "Upstream unavailable",
                UPSTREAM,
            )
            .retry_after(RETRY_AFTER),
            OrderError::Storage(DbError::Duplicate { .. } | DbError::Data { .. } | DbError::Other(_)) => {
                Self::new(S::INTERNAL_SERVER_ERROR, problems::INTERNAL, "Internal error", UNEXPECTED)
            }
            OrderError::Storage(_) => Self::new(
                S::SERVICE_UNAVAILABLE,
                problems::STORAGE_UNAVAILABLE,
                "Storage unavailable",
                STORAGE,
            )
            .retry_after(RETRY_AFTER),
            OrderError::Backend(_) => {
                Self::new(S::INTERNAL_SERVER_ERROR, problems::INTERNAL, "Internal error", UNEXPECTED)
            }
        };
        problem.because(&error)
    }
}

impl IntoResponse for OrderError {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}

/// Seconds after which a caller may try again: about the time in which a breaker probes or a connection comes back.
const RETRY_AFTER: u32 = 1;
const INVALID: &str = "The request has a field that is not valid.";
const NO_USER: &str = "The order names a user that does not exist.";
const NO_ORDER: &str = "There is no order with this id.";
const CONFLICT: &str = "The idempotency key was used before, for another order.";
const UPSTREAM: &str = "The user could not be checked. Try again.";
const STORAGE: &str = "The order database does not answer. Try again.";
const UNEXPECTED: &str = "The request could not be completed.";
