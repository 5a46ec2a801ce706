//! Who may use the switches: no one if they are disabled, the holder of the token if there is one, otherwise everyone.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chassis_faults::FaultsConfig;
use chassis_http::{
    Problem,
    problems::{METHOD_NOT_ALLOWED, NOT_FOUND, UNAUTHORIZED},
};
use http::{HeaderMap, HeaderValue, header};
use secrecy::ExposeSecret as _;
use subtle::ConstantTimeEq as _;

/// Lets a request through to the switches, or answers 404 (disabled) or 401 (no or wrong token).
pub(super) async fn guard(State(config): State<Arc<FaultsConfig>>, request: Request, next: Next) -> Response {
    if !config.faults_enabled {
        return not_found("There is no such route.").into_response();
    }
    match &config.faults_token {
        Some(token) if !authorized(request.headers(), token.expose_secret()) => unauthorized(),
        _ => next.run(request).await,
    }
}

/// The problem for something that does not exist.
pub(super) fn not_found(detail: impl Into<String>) -> Problem {
    Problem::new(&NOT_FOUND, detail)
}

/// Answers a method that the route does not have.
pub(super) fn not_allowed(allowed: &'static str) -> Response {
    let detail = format!("This route takes {allowed}.");
    let mut response = Problem::new(&METHOD_NOT_ALLOWED, detail).into_response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}

fn unauthorized() -> Response {
    let detail = "This route takes the header `Authorization: Bearer TOKEN` with the token of FAULTS_TOKEN.";
    let mut response = Problem::new(&UNAUTHORIZED, detail).into_response();
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

fn authorized(headers: &HeaderMap, token: &str) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.split_once(' '));
    given.is_some_and(|(scheme, given)| scheme.eq_ignore_ascii_case("bearer") && same(given.trim(), token))
}

/// Compares in a time that depends on the lengths only, so that the token cannot be guessed byte by byte.
fn same(given: &str, token: &str) -> bool {
    given.as_bytes().ct_eq(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_opens() {
        for (given, opens) in
            [("secret", true), ("secre", false), ("secretsecret", false), ("Secret", false), ("", false)]
        {
            assert_eq!(same(given, "secret"), opens, "{given}");
        }
        assert!(same("", ""), "an empty token is no guard");
    }

    #[test]
    fn the_scheme_is_bearer_in_any_case() {
        let with = |value: &'static str| {
            HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(value))])
        };
        assert!(authorized(&with("Bearer secret"), "secret"));
        assert!(authorized(&with("bearer secret"), "secret"));
        assert!(!authorized(&with("Basic secret"), "secret"));
        assert!(!authorized(&with("secret"), "secret"));
        assert!(!authorized(&HeaderMap::new(), "secret"));
    }
}
