//! Who may change something: the holder of the token if there is one, otherwise everyone who reaches the
//! port.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chassis_http::{Problem, problems::UNAUTHORIZED};
use http::{HeaderMap, HeaderValue, header};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

/// Lets a request through, or answers 401. Looking needs no token, as for the metrics.
pub(super) async fn guard(
    State(token): State<Arc<Option<SecretString>>>,
    request: Request,
    next: Next,
) -> Response {
    match &*token {
        Some(token) if !request.method().is_safe() && !has(request.headers(), token.expose_secret()) => {
            let detail =
                "This route takes the header `Authorization: Bearer TOKEN` with the token of FAULTS_TOKEN.";
            let mut response = Problem::new(&UNAUTHORIZED, detail).into_response();
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            response
        }
        _ => next.run(request).await,
    }
}

/// Compares in a time that depends on the lengths only.
fn has(headers: &HeaderMap, token: &str) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.split_once(' '));
    given.is_some_and(|(scheme, given)| {
        scheme.eq_ignore_ascii_case("bearer") && bool::from(given.trim().as_bytes().ct_eq(token.as_bytes()))
    })
}
