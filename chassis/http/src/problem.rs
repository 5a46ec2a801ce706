//! Errors on the wire: RFC 9457 `application/problem+json` with the trace id.

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Response};
use chassis_serve::{
    BodyError,
    problem::{Kind, TYPES},
};
use http::{
    HeaderValue, StatusCode,
    header::{CONTENT_TYPE, RETRY_AFTER},
};

/// A problem document. Build one, add details for the caller, return it from a handler.
///
/// The cause is never part of the body: it is in a response extension and is logged once, by the trace layer.
#[derive(Debug, Clone)]
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// Slug of the type; the `type` URI is `/problems#{slug}` of the documentation.
    pub slug: &'static str,
    /// Short title of the type.
    pub title: &'static str,
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
    pub fn new(
        status: StatusCode,
        slug: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            slug,
            title,
            detail: detail.into(),
            errors: BTreeMap::new(),
            retry_after: None,
            cause: None,
        }
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
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid-request",
            "Invalid request",
            "The request has a field that is not valid.",
        )
        .field(field, expected)
    }
}

impl From<BodyError> for Problem {
    fn from(error: BodyError) -> Self {
        let Kind { status, slug, title } = error.kind();
        Self::new(status, slug, title, format!("{error}.")).field("body", error.right())
    }
}

/// The document of RFC 9457 with our two extensions.
#[derive(serde::Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    errors: &'a BTreeMap<String, String>,
}

impl Problem {
    /// The body; `instance` is the path of the request, if known.
    fn document(&self, instance: Option<&str>) -> Vec<u8> {
        let document = Document {
            r#type: format!("{TYPES}{}", self.slug),
            title: self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
            instance,
            trace_id: chassis_telemetry::traces::current_trace_id(),
            errors: &self.errors,
        };
        // Strings and numbers only: cannot fail.
        serde_json::to_vec(&document).unwrap_or_default()
    }

    /// The response, with the problem itself as an extension: the stack logs its cause once and adds the instance.
    pub(crate) fn respond(self, instance: Option<&str>) -> Response {
        let body = self.document(instance);
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
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
