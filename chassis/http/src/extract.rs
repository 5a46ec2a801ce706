//! Extractors whose rejections are problems that name the field: drop-in replacements of axum's.

use axum::{
    extract::{
        FromRequest, FromRequestParts, RawPathParams, Request, path::ErrorKind, rejection::PathRejection,
    },
    response::{IntoResponse, Response},
};
use http::{HeaderMap, header::CONTENT_TYPE, request::Parts};
use serde::{
    Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_path_to_error::{Path as FieldPath, Segment};

use super::{Problem, objects::Objects, problems::UNSUPPORTED_MEDIA_TYPE};

/// A JSON body.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

/// Path parameters.
#[derive(Debug, Clone, Copy, Default)]
pub struct Path<T>(pub T);

/// Query parameters; unknown ones are refused when `T` says `deny_unknown_fields`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            let problem = Problem::new(&UNSUPPORTED_MEDIA_TYPE, "The body must be `application/json`.");
            return Err(problem.field("Content-Type", "application/json"));
        }
        // Already read if the layers of the stack are in place.
        let body = chassis_serve::body::collect(request.into_body()).await?;
        parse_json(&body).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        if let Some((name, _)) =
            pairs.clone().find(|(name, value)| name.contains('\0') || value.contains('\0'))
        {
            return Err(Problem::invalid(name.replace('\0', ""), "a text without NUL"));
        }
        serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs)).map(Self).map_err(
            |error| {
                let message = error.inner().to_string();
                let name = named(&message).map(str::to_owned).or_else(|| last_key(error.path()));
                Problem::invalid(name.unwrap_or_else(|| "query".to_owned()), message)
            },
        )
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let raw = RawPathParams::from_request_parts(parts, state).await;
        // A single parameter is deserialized without its name.
        let only = raw.as_ref().ok().and_then(|params| params.iter().next()).map(|(name, _)| name.to_owned());
        let only = only.unwrap_or_else(|| "path".to_owned());
        if let Ok(params) = &raw
            && let Some((name, _)) = params.iter().find(|(_, value)| value.contains('\0'))
        {
            return Err(Problem::invalid(name, "a text without NUL"));
        }
        axum::extract::Path::from_request_parts(parts, state).await.map(|path| Self(path.0)).map_err(
            |rejection| {
                let PathRejection::FailedToDeserializePathParams(failed) = rejection else {
                    return Problem::invalid(only, "a path that matches the route");
                };
                match failed.into_kind() {
                    ErrorKind::ParseErrorAtKey { key, expected_type, .. } => {
                        Problem::invalid(key, format!("a value of type {expected_type}"))
                    }
                    ErrorKind::ParseError { expected_type, .. }
                    | ErrorKind::ParseErrorAtIndex { expected_type, .. } => {
                        Problem::invalid(only, format!("a value of type {expected_type}"))
                    }
                    ErrorKind::DeserializeError { key, message, .. } => Problem::invalid(key, message),
                    ErrorKind::InvalidUtf8InPathParam { key } => {
                        Problem::invalid(key, "UTF-8, percent-encoded")
                    }
                    other => Problem::invalid(only, other.to_string()),
                }
            },
        )
    }
}

/// Whether the content type is JSON or a `+json` type, parameters aside.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(Objects(&mut json)).map_err(|error| {
        let pointer = pointer(error.path());
        // serde_json calls some values of the wrong kind (a number for an enum) a syntax error.
        let broken = serde_json::from_slice::<IgnoredAny>(body).is_err();
        wrong_json(&pointer, error.inner(), broken)
    })?;
    json.end().map_err(|error| wrong_json("", &error, true))?;
    Ok(value)
}

/// A field of the wrong kind is named by its pointer, broken syntax by its position.
fn wrong_json(pointer: &str, error: &serde_json::Error, broken: bool) -> Problem {
    let text = error.to_string();
    if broken {
        return Problem::invalid("body", format!("valid JSON; {text}"));
    }
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    let field = match named(message) {
        // The path of an unknown or doubled field ends in it, that of a missing one in its parent.
        Some(name) if message.starts_with("missing") || !pointer.ends_with(&format!("/{name}")) => {
            format!("{pointer}/{name}")
        }
        _ if pointer.is_empty() => "body".to_owned(),
        _ => pointer.to_owned(),
    };
    Problem::invalid(field, message)
}

/// The field that serde names only in its message, because it is missing or should not be there.
fn named(message: &str) -> Option<&str> {
    let rest = ["missing field `", "unknown field `", "duplicate field `"]
        .iter()
        .find_map(|start| message.strip_prefix(start))?;
    rest.split('`').next()
}

/// A JSON pointer (RFC 6901).
fn pointer(path: &FieldPath) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Unknown => {}
        }
    }
    pointer
}

fn last_key(path: &FieldPath) -> Option<String> {
    path.iter().rev().find_map(|segment| match segment {
        Segment::Map { key } => Some(key.clone()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its shape matters")]
    struct Order {
        user_id: uuid::Uuid,
        items: Vec<Item>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its shape matters")]
    struct Item {
        sku: String,
        quantity: u32,
        kind: Option<Kind>,
    }

    #[derive(Debug, serde::Deserialize)]
    enum Kind {}

    fn wrong_field(body: &str) -> (String, String) {
        let problem = parse_json::<Order>(body.as_bytes()).expect_err(body);
        assert_eq!(problem.status, 400);
        problem.errors.into_iter().next().expect("a field")
    }

    #[test]
    fn a_wrong_field_is_named_by_its_pointer() {
        let id = "00000000-0000-0000-0000-000000000000";
        for (body, field) in [
            (format!(r#"{{"user_id":"{id}","items":[{{"sku":"a","quantity":-1}}]}}"#), "/items/0/quantity"),
            (format!(r#"{{"user_id":"{id}","items":[{{"sku":"a"}}]}}"#), "/items/0/quantity"),
            (format!(r#"{{"user_id":"{id}","items":[],"extra":1}}"#), "/extra"),
            (format!(r#"{{"user_id":"{id}","user_id":"{id}","items":[]}}"#), "/user_id"),
            (
                format!(r#"{{"user_id":"{id}","items":[{{"sku":"a","quantity":1,"kind":7}}]}}"#),
                "/items/0/kind",
            ),
            (r#"{"user_id":"x","items":[]}"#.to_owned(), "/user_id"),
            ("[]".to_owned(), "body"),
            (format!(r#"["{id}",[]]"#), "body"),
            (format!(r#"{{"user_id":"{id}","items":[["a",1,null]]}}"#), "/items/0"),
        ] {
            assert_eq!(wrong_field(&body).0, field, "{body}");
        }
    }

    #[test]
    fn broken_json_is_named_by_its_position() {
        for body in ["", "{", "{\"user_id\":", "nonsense", "{\"user_id\" 1}"] {
            let (field, expected) = wrong_field(body);
            assert_eq!(field, "body", "{body}");
            assert!(expected.contains("line 1 column"), "{expected}");
        }
    }
}
