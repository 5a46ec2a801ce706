//! Errors on the wire: RFC 9457 `application/problem+json` with the trace id.

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Response};
use chassis_core::{Fields, ProblemType, problem::MEDIA_TYPE};
use chassis_serve::BodyError;
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};

use crate::{
    openapi,
    problems::{INTERNAL, INVALID_REQUEST},
};

/// A problem document. Build one, add what helps the caller, return it from a handler.
///
/// The cause is never part of the body: it is in a response extension and is logged once, by the trace layer.
#[derive(Debug, Clone)]
pub struct Problem {
    /// HTTP status: that of the type, unless a fault asks for another.
    pub status: StatusCode,
    /// Its type.
    pub kind: &'static ProblemType,
    /// What happened this time, safe to show.
    pub detail: String,
    /// Fields of the input that were wrong: JSON pointer or parameter name -> what is valid.
    pub errors: BTreeMap<String, String>,
    /// `Retry-After` in seconds.
    pub retry_after: Option<u32>,
    /// The cause, for the log only.
    pub cause: Option<String>,
}

impl Problem {
    /// A problem of one type.
    #[must_use]
    pub fn new(kind: &'static ProblemType, detail: impl Into<String>) -> Self {
        Self {
            status: kind.status,
            kind,
            detail: detail.into(),
            errors: BTreeMap::new(),
            retry_after: None,
            cause: None,
        }
    }
    /// An unexpected failure, of which the caller learns no more.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(&INTERNAL, "The request could not be completed.")
    }
    /// Names one wrong field.
    #[must_use]
    pub fn field(mut self, name: impl Into<String>, expected: impl Into<String>) -> Self {
        self.errors.insert(name.into(), expected.into());
        self
    }
    /// Tells the caller when to retry, in seconds.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
    /// Attaches the cause for the log, with its chain of sources.
    #[must_use]
    pub fn because(mut self, cause: &dyn std::error::Error) -> Self {
        let mut text = cause.to_string();
        let mut source = cause.source();
        while let Some(inner) = source {
            text.push_str(": ");
            text.push_str(&inner.to_string());
            source = inner.source();
        }
        self.cause = Some(text);
        self
    }
    /// 400 with one wrong field.
    #[must_use]
    pub fn invalid(field: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::new(&INVALID_REQUEST, INVALID).field(field, expected)
    }
}

const INVALID: &str = "The request has a field that is not valid.";

impl From<Fields> for Problem {
    fn from(wrong: Fields) -> Self {
        Self { errors: wrong.into_iter().collect(), ..Self::new(&INVALID_REQUEST, INVALID) }
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        Self::new(error.kind(), format!("{error}.")).field("body", error.right())
    }
}

impl Problem {
    /// The body; `instance` is the path of the request, if known.
    fn document(&self, instance: Option<&str>) -> Vec<u8> {
        let document = openapi::Problem {
            r#type: self.kind.uri(),
            title: self.kind.title.to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            instance: instance.map(str::to_owned),
            trace_id: chassis_telemetry::traces::current_trace_id(),
            errors: (!self.errors.is_empty()).then(|| self.errors.clone()),
        };
        // Strings and numbers only: cannot fail.
        serde_json::to_vec(&document).unwrap_or_default()
    }

    /// The response, with the problem itself as an extension: the stack logs its cause once and adds the instance.
    pub(crate) fn respond(self, instance: Option<&str>) -> Response {
        let body = self.document(instance);
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.respond(None)
    }
}
