//! The closed set of problem types: part of the API contract, usable as a metric label. `docs/problems.md` explains each.
//! Also the document itself, and the responses of every operation in the OpenAPI documents.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{Content, Ref, RefOr, Response, ResponseBuilder},
};

/// `invalid-request`: 400, a field is missing, malformed or out of range.
pub const INVALID_REQUEST: &str = "invalid-request";
/// `not-found`: 404.
pub const NOT_FOUND: &str = "not-found";
/// `user-not-found`: 422, the order names a user that does not exist.
pub const USER_NOT_FOUND: &str = "user-not-found";
/// `idempotency-conflict`: 409, the key was used with a different body.
pub const IDEMPOTENCY_CONFLICT: &str = "idempotency-conflict";
/// `email-taken`: 409, another user has this e-mail address.
pub const EMAIL_TAKEN: &str = "email-taken";
/// `upstream-unavailable`: 503, a service that the request needs does not respond.
pub const UPSTREAM_UNAVAILABLE: &str = "upstream-unavailable";
/// `storage-unavailable`: 503, the database does not respond.
pub const STORAGE_UNAVAILABLE: &str = "storage-unavailable";
/// `internal`: 500, an unexpected failure.
pub const INTERNAL: &str = "internal";
/// `cross-origin`: 403, a web page of another site tries to change something.
pub const CROSS_ORIGIN: &str = "cross-origin";
/// `request-timeout`: 408, the body did not arrive in time.
pub const REQUEST_TIMEOUT: &str = "request-timeout";
/// `payload-too-large`: 413, the body is over the limit.
pub const PAYLOAD_TOO_LARGE: &str = "payload-too-large";
/// `unsupported-media-type`: 415, the body is not JSON.
pub const UNSUPPORTED_MEDIA_TYPE: &str = "unsupported-media-type";
/// `misdirected-request`: 421, the request is for a host name that is not this service's.
pub const MISDIRECTED_REQUEST: &str = "misdirected-request";
/// `overloaded`: 503, too many requests are in flight.
pub const OVERLOADED: &str = "overloaded";
/// `timeout`: 504, the request took too long.
pub const TIMEOUT: &str = "timeout";

/// Media type of [`Problem`].
pub const MEDIA_TYPE: &str = "application/problem+json";

/// An error on the wire (RFC 9457).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// Where the type is explained; the anchor is its name.
    pub r#type: String,
    /// The type in words.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// Path of the request.
    #[schema(nullable = false)]
    pub instance: Option<String>,
    /// Leads to the trace and to the log lines.
    #[schema(nullable = false)]
    pub trace_id: Option<String>,
    /// Each wrong field, as a JSON pointer or the name of a parameter, and what would be right.
    #[schema(nullable = false)]
    pub errors: Option<BTreeMap<String, String>>,
}

/// Responses that any request may get.
pub struct ToAnything;

/// Responses that a request with a body that changes something may get.
pub struct ToChanges;

const ANYTHING: &[(u16, &[&str])] = &[
    (400, &[INVALID_REQUEST]),
    (421, &[MISDIRECTED_REQUEST]),
    (500, &[INTERNAL]),
    (503, &[OVERLOADED]),
    (504, &[TIMEOUT]),
];
const CHANGES: &[(u16, &[&str])] = &[
    (403, &[CROSS_ORIGIN]),
    (408, &[REQUEST_TIMEOUT]),
    (413, &[PAYLOAD_TOO_LARGE]),
    (415, &[UNSUPPORTED_MEDIA_TYPE]),
];

type Responses = BTreeMap<String, RefOr<Response>>;

fn documented(table: &[(u16, &[&str])]) -> Responses {
    let response = |types: &[&str]| {
        let schema = Ref::from_schema_name("Problem");
        ResponseBuilder::new()
            .description(types.join(", "))
            .content(MEDIA_TYPE, Content::new(Some(schema)))
            .build()
    };
    table.iter().map(|(status, types)| (status.to_string(), RefOr::T(response(types)))).collect()
}

impl IntoResponses for ToAnything {
    fn responses() -> Responses {
        documented(ANYTHING)
    }
}

impl IntoResponses for ToChanges {
    fn responses() -> Responses {
        documented(&[ANYTHING, CHANGES].concat())
    }
}
