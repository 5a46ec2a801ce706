//! What the OpenAPI documents of all services have in common: the problem document, and what the layers of the house may answer
//! any request with.

use std::collections::BTreeMap;

use chassis_core::{ProblemType, problem::MEDIA_TYPE};
use serde::Serialize;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{Content, Ref, RefOr, Response, ResponseBuilder},
};

use crate::problems::*;

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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Leads to the trace and to the log lines.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// Each wrong field, as a JSON pointer or the name of a parameter, and what would be right.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<BTreeMap<String, String>>,
}

/// What any request may be answered with.
pub struct ToAnything;

/// What a request that changes something and has a body may be answered with.
pub struct ToChanges;

const ANYTHING: &[&ProblemType] = &[&INVALID_REQUEST, &MISDIRECTED_REQUEST, &INTERNAL, &OVERLOADED, &TIMEOUT];
const CHANGES: &[&ProblemType] =
    &[&CROSS_ORIGIN, &REQUEST_TIMEOUT, &PAYLOAD_TOO_LARGE, &UNSUPPORTED_MEDIA_TYPE];

type Responses = BTreeMap<String, RefOr<Response>>;

/// One response per type: no two of the types of a request share a status.
fn responses(types: &[&ProblemType]) -> Responses {
    let response = |of: &ProblemType| {
        ResponseBuilder::new()
            .description(of.slug)
            .content(MEDIA_TYPE, Content::new(Some(Ref::from_schema_name("Problem"))))
            .build()
    };
    types.iter().map(|of| (of.status.as_str().to_owned(), RefOr::T(response(of)))).collect()
}

impl IntoResponses for ToAnything {
    fn responses() -> Responses {
        responses(ANYTHING)
    }
}

impl IntoResponses for ToChanges {
    fn responses() -> Responses {
        responses(&[ANYTHING, CHANGES].concat())
    }
}
