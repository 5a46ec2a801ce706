//! The OpenAPI document: made from the handlers, served at `/openapi.json`, committed as `docs/openapi/control-room.json` (a
//! test compares). Bodies of requests are described field by field; answers are the JSON that the library `incident`
//! serializes to, described in words.

use std::collections::BTreeMap;

use chassis_core::{ProblemType, problem::MEDIA_TYPE};
use chassis_http::{
    openapi::{ToAnything, ToChanges},
    problems::{NOT_FOUND, STORAGE_UNAVAILABLE, UNAUTHORIZED, UPSTREAM_UNAVAILABLE},
};
use utoipa::{
    IntoResponses, OpenApi,
    openapi::{Content, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, schema::Type},
};

use super::problems::{CONFLICT, FORBIDDEN, NOT_NOW};

/// What the document says of the whole; [`super::documented`] has the operations.
#[derive(OpenApi)]
#[openapi(info(
    title = "control-room",
    description = "Incidents, timelines, who is on call, postmortems; what arrives from Alertmanager and PagerDuty's senders. \
                   On loopback no token is needed; elsewhere send `Authorization: Bearer` with ACCESS_TOKEN or INSTRUCTOR_TOKEN. \
                   `X-Person: ada` says who acts; where people have their own tokens (PERSON_TOKENS), the token says it. \
                   Errors are RFC 9457 problems, except under /v2, which answers as PagerDuty does."
))]
pub(crate) struct ApiDoc;

/// What a request that reads may be answered with.
pub(crate) struct Reads;

/// What a request that changes something may be answered with.
pub(crate) struct Changes;

/// The same without the success, for requests that have another one than 200 with JSON.
pub(crate) struct Refusals;

type Responses = BTreeMap<String, RefOr<Response>>;

const READS: &[&ProblemType] = &[&UNAUTHORIZED, &FORBIDDEN, &NOT_FOUND];
const CHANGES: &[&ProblemType] = &[&CONFLICT, &NOT_NOW];

/// `house` with these problems. A status that several types share names all of them.
fn with(house: &Responses, types: &[&ProblemType]) -> Responses {
    let mut words: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (status, response) in house {
        if let RefOr::T(response) = response {
            words.entry(status.clone()).or_default().push(&response.description);
        }
    }
    for of in types.iter().chain(&[&STORAGE_UNAVAILABLE, &UPSTREAM_UNAVAILABLE]) {
        let words = words.entry(of.status.as_str().to_owned()).or_default();
        if !words.contains(&of.slug) {
            words.push(of.slug);
        }
    }
    let response = |words: Vec<&str>| {
        ResponseBuilder::new()
            .description(words.join(", "))
            .content(MEDIA_TYPE, Content::new(Some(Ref::from_schema_name("Problem"))))
            .build()
    };
    words.into_iter().map(|(status, words)| (status, RefOr::T(response(words)))).collect()
}

/// These, and 200 with a JSON object.
fn and_json(mut responses: Responses) -> Responses {
    let object = ObjectBuilder::new().schema_type(Type::Object).build();
    let json = ResponseBuilder::new()
        .description("The answer, as the summary says.")
        .content("application/json", Content::new(Some(object)));
    responses.insert("200".to_owned(), RefOr::T(json.build()));
    responses
}

impl IntoResponses for Reads {
    fn responses() -> Responses {
        and_json(with(&ToAnything::responses(), READS))
    }
}

impl IntoResponses for Changes {
    fn responses() -> Responses {
        and_json(Refusals::responses())
    }
}

impl IntoResponses for Refusals {
    fn responses() -> Responses {
        with(&ToChanges::responses(), &[READS, CHANGES].concat())
    }
}
