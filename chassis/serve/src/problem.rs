//! The server's own answers: their types, and RFC 9457 documents that say what was wrong and what would be right.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use chassis_core::{ProblemType, problem::MEDIA_TYPE};
use http::{HeaderValue, header};

use crate::BodyError;

chassis_core::problem_types! {
    /// A field, parameter or header is missing, malformed or out of range.
    INVALID_REQUEST = 400, "invalid-request", "Invalid request";
    /// A web page of another site wants to change something.
    CROSS_ORIGIN = 403, "cross-origin", "Cross-origin request";
    /// The body did not arrive in time.
    REQUEST_TIMEOUT = 408, "request-timeout", "Request timeout";
    /// The body is over the limit.
    PAYLOAD_TOO_LARGE = 413, "payload-too-large", "Payload too large";
    /// The request is for a host that this is not.
    MISDIRECTED_REQUEST = 421, "misdirected-request", "Misdirected request";
}

/// An answer with one wrong field and what would be right.
#[must_use]
pub fn answer(kind: &ProblemType, detail: &str, field: &str, right: &str) -> Response {
    let document = serde_json::json!({
        "type": kind.uri(),
        "title": kind.title,
        "status": kind.status.as_u16(),
        "detail": detail,
        "errors": { field: right },
    });
    let mut response = (kind.status, Body::from(document.to_string())).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    response
}

impl BodyError {
    /// Its type.
    #[must_use]
    pub const fn kind(&self) -> &'static ProblemType {
        match self {
            Self::TooLarge { .. } => &PAYLOAD_TOO_LARGE,
            Self::TooSlow { .. } => &REQUEST_TIMEOUT,
            Self::Broken => &INVALID_REQUEST,
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
