//! What every answer has, and errors as S3 writes them.

use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header};
use uuid::Uuid;

use super::xml::Element;
use crate::error::{Code, S3Error};

/// The namespace of S3's documents.
pub(super) const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

const fn status(code: Code) -> StatusCode {
    match code {
        Code::NotModified => StatusCode::NOT_MODIFIED,
        Code::AuthorizationHeaderMalformed
        | Code::BadDigest
        | Code::EntityTooSmall
        | Code::IncompleteBody
        | Code::InvalidArgument
        | Code::InvalidBucketName
        | Code::InvalidDigest
        | Code::InvalidPart
        | Code::InvalidPartOrder
        | Code::KeyTooLongError
        | Code::MalformedXML
        | Code::XAmzContentSHA256Mismatch => StatusCode::BAD_REQUEST,
        Code::AccessDenied
        | Code::InvalidAccessKeyId
        | Code::QuotaExceeded
        | Code::RequestTimeTooSkewed
        | Code::SignatureDoesNotMatch => StatusCode::FORBIDDEN,
        Code::NoSuchBucket
        | Code::NoSuchKey
        | Code::NoSuchLifecycleConfiguration
        | Code::NoSuchUpload
        | Code::NoSuchVersion => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::BucketAlreadyOwnedByYou | Code::BucketNotEmpty => StatusCode::CONFLICT,
        Code::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        Code::InvalidRange => StatusCode::RANGE_NOT_SATISFIABLE,
        Code::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
        Code::NotImplemented => StatusCode::NOT_IMPLEMENTED,
        Code::SlowDown => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    identify(&mut response);
    response
}

/// 200 with a document.
pub(super) fn document(root: &Element) -> Response {
    let mut response = empty(StatusCode::OK);
    fill(&mut response, root);
    response
}

/// An error. Its body is left out where HTTP has none: `304`, and by the server for `HEAD`.
pub(super) fn error(error: &S3Error, resource: &str) -> Response {
    let mut response = empty(status(error.code));
    if error.code == Code::NotModified {
        return response;
    }
    let id = response.headers().get("x-amz-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let root = Element::new("Error")
        .text("Code", error.code.as_str())
        .text("Message", &error.message)
        .text("Resource", resource)
        .text("RequestId", id);
    fill(&mut response, &root);
    response
}

fn fill(response: &mut Response, root: &Element) {
    let kind = HeaderValue::from_static("application/xml");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    *response.body_mut() = Body::from(root.document());
}

fn identify(response: &mut Response) {
    let id = Uuid::now_v7().simple().to_string().to_uppercase();
    set(response, "x-amz-request-id", &id);
    response.headers_mut().insert(header::SERVER, HeaderValue::from_static("lab-objects"));
}

/// Sets a header; a value that HTTP cannot carry is left out.
pub(super) fn set(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// As [`set`], for an answer that is being built.
pub(super) fn with(mut response: Response, name: &'static str, value: &str) -> Response {
    set(&mut response, name, value);
    response
}
