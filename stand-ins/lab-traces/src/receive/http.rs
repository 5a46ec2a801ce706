//! `POST /v1/traces`: OTLP/HTTP with protobuf bodies, plain or gzip.
//! <https://opentelemetry.io/docs/specs/otlp/#otlphttp>

use std::io::Read;

use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use chassis_serve::BodyError;
use flate2::read::GzDecoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use super::{Intake, MAX_REQUEST};
use crate::metrics::Protocol;

const PROTOBUF: &str = "application/x-protobuf";

/// The routes.
pub fn router(intake: Intake) -> Router {
    Router::new().route("/v1/traces", post(export)).with_state(intake)
}

/// `google.rpc.Status`, which OTLP/HTTP requires as the body of an error.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

struct Refusal {
    status: StatusCode,
    reason: &'static str,
    message: String,
}

impl Refusal {
    fn new(status: StatusCode, reason: &'static str, message: impl Into<String>) -> Self {
        Self { status, reason, message: message.into() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        // The codes of gRPC: resource exhausted, else invalid argument.
        let code = if self.status == StatusCode::TOO_MANY_REQUESTS { 8 } else { 3 };
        let body = Status { code, message: self.message }.encode_to_vec();
        let mut response = (self.status, [(header::CONTENT_TYPE, PROTOBUF)], body).into_response();
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        }
        response
    }
}

async fn export(State(intake): State<Intake>, headers: HeaderMap, body: Body) -> Response {
    // Read first: a sender that stalls must not occupy a slot.
    let body = match read(&headers, body).await {
        Ok(body) => body,
        Err(refusal) => return refuse(&intake, refusal),
    };
    // `enter` counts its refusal itself, because gRPC uses it as well.
    let Some(_place) = intake.enter(Protocol::Http) else {
        return Refusal::new(StatusCode::TOO_MANY_REQUESTS, "busy", "too many requests at once")
            .into_response();
    };
    match decode(&headers, body) {
        Ok(request) => {
            let answer = intake.accept(request, Protocol::Http).encode_to_vec();
            (StatusCode::OK, [(header::CONTENT_TYPE, PROTOBUF)], answer).into_response()
        }
        Err(refusal) => refuse(&intake, refusal),
    }
}

fn refuse(intake: &Intake, refusal: Refusal) -> Response {
    intake.metrics.refused(Protocol::Http, refusal.reason);
    refusal.into_response()
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, Refusal> {
    let content_type = text(headers, header::CONTENT_TYPE);
    if content_type.split(';').next().unwrap_or_default().trim() != PROTOBUF {
        let message = format!("Content-Type must be {PROTOBUF}, is `{content_type}`");
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", message));
    }
    chassis_serve::body::collect(body).await.map_err(|error| {
        let reason = if matches!(error, BodyError::TooLarge { .. }) { "too_large" } else { "malformed" };
        Refusal::new(error.kind().status, reason, error.to_string())
    })
}

fn decode(headers: &HeaderMap, body: Bytes) -> Result<ExportTraceServiceRequest, Refusal> {
    let body = match text(headers, header::CONTENT_ENCODING) {
        "" | "identity" => body,
        "gzip" => gunzip(&body)?,
        other => {
            let message = format!("Content-Encoding must be gzip or absent, is `{other}`");
            return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", message));
        }
    };
    ExportTraceServiceRequest::decode(body)
        .map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, "malformed", error.to_string()))
}

fn too_large() -> Refusal {
    let message = format!("the body is larger than {MAX_REQUEST} bytes");
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
}

fn gunzip(body: &[u8]) -> Result<Bytes, Refusal> {
    let mut plain = Vec::new();
    // One byte over the limit distinguishes a decompression bomb from a body that just fits.
    let mut decoder = GzDecoder::new(body).take(MAX_REQUEST as u64 + 1);
    decoder
        .read_to_end(&mut plain)
        .map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, "malformed", format!("gzip: {error}")))?;
    if plain.len() > MAX_REQUEST { Err(too_large()) } else { Ok(plain.into()) }
}
