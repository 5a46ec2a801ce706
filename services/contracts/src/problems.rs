//! The closed set of problem types: part of the API contract, usable as a metric label. `docs/problems.md` explains each.

/// `invalid-request`: 400, a field is missing, malformed or out of range.
pub const INVALID_REQUEST: &str = "invalid-request";
/// `not-found`: 404.
pub const NOT_FOUND: &str = "not-found";
/// `user-not-found`: 422, the order names a user that does not exist.
pub const USER_NOT_FOUND: &str = "user-not-found";
/// `idempotency-conflict`: 409, the key was used with another body.
pub const IDEMPOTENCY_CONFLICT: &str = "idempotency-conflict";
/// `email-taken`: 409, another user has this e-mail address.
pub const EMAIL_TAKEN: &str = "email-taken";
/// `upstream-unavailable`: 503, a service that the request needs does not answer.
pub const UPSTREAM_UNAVAILABLE: &str = "upstream-unavailable";
/// `storage-unavailable`: 503, the database does not answer.
pub const STORAGE_UNAVAILABLE: &str = "storage-unavailable";
/// `internal`: 500, an unexpected failure.
pub const INTERNAL: &str = "internal";
