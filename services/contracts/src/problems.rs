//! The shop's own problem types: part of the API contract. Those that any service answers with are `chassis_http::problems`;
//! `docs/problems.md` explains each.

chassis_core::problem_types! {
    /// Another user has this e-mail address.
    EMAIL_TAKEN = 409, "email-taken", "E-mail taken";
    /// The key was used with another body.
    IDEMPOTENCY_CONFLICT = 409, "idempotency-conflict", "Idempotency conflict";
    /// The order names a user that does not exist.
    USER_NOT_FOUND = 422, "user-not-found", "User not found";
}
