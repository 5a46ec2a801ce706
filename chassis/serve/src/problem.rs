//! The server's own responses: RFC 9457 documents that say what is wrong and what is valid.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};

use crate::BodyError;

/// Where the types are explained; the slug is the anchor.
pub const TYPES: &str = "https://github.com/sre-lab/sre-lab/blob/main/docs/problems.md#";

/// A type of problem: status, slug and title belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// HTTP status.
    pub status: StatusCode,
    /// Anchor of the type in docs/problems.md.
    pub slug: &'static str,
    /// Short title.
    pub title: &'static str,
}

/// 400: a header or the body is not valid.
pub const INVALID: Kind =
    Kind { status: StatusCode::BAD_REQUEST, slug: "invalid-request", title: "Invalid request" };
/// 403: a web page of another site sent it.
pub const CROSS_ORIGIN: Kind =
    Kind { status: StatusCode::FORBIDDEN, slug: "cross-origin", title: "Cross-origin request" };
/// 408: the body did not arrive in time.
pub const REQUEST_TIMEOUT: Kind =
    Kind { status: StatusCode::REQUEST_TIMEOUT, slug: "request-timeout", title: "Request timeout" };
/// 413: the body is over the limit.
pub const TOO_LARGE: Kind =
    Kind { status: StatusCode::PAYLOAD_TOO_LARGE, slug: "payload-too-large", title: "Payload too large" };
/// 421: the request is for another host.
pub const MISDIRECTED: Kind = Kind {
    status: StatusCode::MISDIRECTED_REQUEST,
    slug: "misdirected-request",
    title: "Misdirected request",
};

/// A response with one wrong field and what is valid.
#[must_use]
pub fn answer(kind: Kind, detail: &str, field: &str, right: &str) -> Response {
    let Kind { status, slug, title } = kind;
    let document = serde_json::json!({
        "type": format!("{TYPES}{slug}"),
        "title": title,
        "status": status.as_u16(),
        "detail": detail,
        "errors": { field: right },
    });
    let mut response = (status, Body::from(document.to_string())).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

impl BodyError {
    /// Its type.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::TooLarge { .. } => TOO_LARGE,
            Self::TooSlow { .. } => REQUEST_TIMEOUT,
            Self::Broken => INVALID,
        }
    }

    /// What is valid.
    #[must_use]
    pub fn right(&self) -> String {
        match self {
            Self::TooLarge { limit } => format!("at most {limit} bytes"),
            Self::TooSlow { timeout } => format!("sent within {}", humantime::format_duration(*timeout)),
            Self::Broken => "a complete body".to_owned(),
        }
    }
}

impl IntoResponse for BodyError {
    fn into_response(self) -> Response {
        answer(self.kind(), &format!("{self}."), "body", &self.right())
    }
}
