//! Requests are read completely before they are handled: a body that trickles in holds no slot, place or deadline of the
//! work itself. The bounds on size and time belong to the port, enforced by `exchange` for every reader.

use std::{error::Error, time::Duration};

use axum::{
    Router,
    body::{Body, HttpBody as _},
    extract::Request,
    middleware::{Next, from_fn},
    response::IntoResponse,
};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;

/// Why a body was not read: all are caused by the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Announced or sent more than the port accepts.
    #[error("the body is larger than this service reads")]
    TooLarge {
        /// Largest body in bytes.
        limit: usize,
    },
    /// Did not arrive in time.
    #[error("the body did not arrive within {}", humantime::format_duration(*.timeout))]
    TooSlow {
        /// The time limit.
        timeout: Duration,
    },
    /// Ended early, or has an invalid transfer coding.
    #[error("the body is incomplete")]
    Broken,
}

/// The request with its body in memory.
///
/// # Errors
/// [`BodyError`]; the connection closes after the response.
pub async fn read(request: Request) -> Result<Request, BodyError> {
    if request.body().is_end_stream() {
        return Ok(request);
    }
    let (parts, body) = request.into_parts();
    Ok(Request::from_parts(parts, Body::from(collect(body).await?)))
}

/// The bytes of a body.
///
/// # Errors
/// As [`read`].
pub async fn collect(mut body: Body) -> Result<Bytes, BodyError> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| reason(&error))?.into_data() else { continue };
        if first.is_empty() && all.is_empty() {
            // Most bodies are one piece: no copy.
            first = data;
            continue;
        }
        all.extend_from_slice(&std::mem::take(&mut first));
        all.extend_from_slice(&data);
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

fn reason(error: &axum::Error) -> BodyError {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(inner) = cause {
        if let Some(reason) = inner.downcast_ref::<BodyError>() {
            return *reason;
        }
        cause = inner.source();
    }
    BodyError::Broken
}

/// For programs without their own layers: reads each request completely before its route, or answers 408, 413 or 400.
pub fn whole_requests(routes: Router) -> Router {
    routes.layer(from_fn(|request: Request, next: Next| async {
        match read(request).await {
            Ok(request) => next.run(request).await,
            Err(error) => error.into_response(),
        }
    }))
}
