//! What the OpenAPI documents of all services have in common: the problem document, what the layers of the chassis may answer
//! any request with, and the route under which a document is served.

use std::collections::BTreeMap;

use axum::{
    Router,
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response as Answer},
};
use chassis_core::{ProblemType, problem::MEDIA_TYPE};
use http::{Method, header::CONTENT_TYPE};
use serde::Serialize;
use utoipa::{
    IntoResponses, OpenApi, ToSchema,
    openapi::{self, Content, PathItem, Ref, RefOr, Response, ResponseBuilder},
};
use utoipa_axum::{router::OpenApiRouter, routes};

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

/// The document of `routes`, as it is served.
#[must_use]
pub fn document<S>(routes: &OpenApiRouter<S>) -> openapi::OpenApi
where
    S: Clone + Send + Sync + 'static,
{
    routes.get_openapi().clone().merge_from(served().into_openapi())
}

/// Method and template of each operation of `document`.
#[must_use]
pub fn operations(document: &openapi::OpenApi) -> Vec<(Method, String)> {
    let of = |(path, item): (&String, &PathItem)| {
        let methods = [
            (Method::GET, &item.get),
            (Method::PUT, &item.put),
            (Method::POST, &item.post),
            (Method::DELETE, &item.delete),
            (Method::PATCH, &item.patch),
            (Method::HEAD, &item.head),
            (Method::OPTIONS, &item.options),
        ];
        let declared = methods.into_iter().filter(|(_, operation)| operation.is_some());
        declared.map(|(method, _)| (method, path.clone())).collect::<Vec<_>>()
    };
    document.paths.paths.iter().flat_map(of).collect()
}

/// The route that serves `document`.
pub(crate) fn serving(document: &openapi::OpenApi) -> Router {
    // Texts, numbers and maps by text only: cannot fail.
    let text = document.to_json().unwrap_or_default();
    served().split_for_parts().0.with_state(Document(Bytes::from(text)))
}

/// The document as it is sent. A type of its own, as the macro takes `Bytes` for the body of a request.
#[derive(Clone)]
struct Document(Bytes);

fn served() -> OpenApiRouter<Document> {
    #[derive(OpenApi)]
    #[openapi(components(schemas(Problem)))]
    struct House;

    OpenApiRouter::with_openapi(House::openapi()).routes(routes!(openapi_document))
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", operation_id = "openapi",
    responses(ToAnything, (status = 200, description = "This document.")))]
async fn openapi_document(State(Document(document)): State<Document>) -> Answer {
    ([(CONTENT_TYPE, "application/json")], document).into_response()
}
