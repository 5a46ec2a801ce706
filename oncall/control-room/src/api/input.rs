//! What callers send: the parts of a path, and texts with a limit. Limits are for people, far below what the port reads.

use axum::extract::{FromRequestParts, RawPathParams};
use chassis_http::Problem;
use http::request::Parts;
use incident::{Evidence, Id};
use serde::Deserialize;
use url::Url;
use utoipa::{IntoParams, ToSchema};

use crate::{
    error::{Error, Result},
    room::Room,
};

/// Longest title, in characters.
const TITLE: usize = 200;
/// Longest reason, in characters.
const REASON: usize = 2000;
/// Longest text, in characters.
const TEXT: usize = 20_000;
/// Longest address, in characters.
const ADDRESS: usize = 3000;
/// How many releases or runs are listed if the caller does not say, and at most.
const USUAL: usize = 20;
const MOST: usize = 200;

/// The incident of a path.
pub(crate) struct Which(pub(crate) Id);

/// A numbered part of an incident of a path: a task, a hypothesis.
pub(crate) struct Part(pub(crate) Id, pub(crate) u32);

/// How many of the newest.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Newest {
    /// At most this number; 20, if absent, and 200 at most.
    limit: Option<usize>,
}

impl Newest {
    /// Within its bound.
    pub(crate) fn limit(&self) -> usize {
        self.limit.unwrap_or(USUAL).min(MOST)
    }
}

/// An empty object: for what needs no words.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// A text.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Text {
    /// At most 20,000 characters.
    pub(crate) text: String,
}

/// A reason.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Why {
    /// In a sentence; at most 2,000 characters.
    #[serde(default)]
    pub(crate) why: String,
}

/// A query and what it answered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proof {
    /// The query, as it was sent.
    query: String,
    /// What came back, in a line or a few.
    answer: String,
    /// Where to ask again.
    #[serde(default)]
    link: Option<String>,
}

impl Proof {
    pub(crate) fn evidence(self) -> Result<Evidence> {
        let link = self.link.map(|link| address("/evidence/link", link)).transpose()?;
        let query = text("/evidence/query", self.query)?;
        Ok(Evidence { query, answer: text("/evidence/answer", self.answer)?, link })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Which {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, Problem> {
        let raw = RawPathParams::from_request_parts(parts, state).await;
        of_path(raw.as_ref().ok(), "id").map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Part {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, Problem> {
        let raw = RawPathParams::from_request_parts(parts, state).await;
        let raw = raw.as_ref().ok();
        let number = of_path(raw, "n").map_err(|problem| problem.field("n", "a number, counted from 1"))?;
        Ok(Self(of_path(raw, "id")?, number))
    }
}

/// A parameter of the path.
fn of_path<T>(params: Option<&RawPathParams>, wanted: &str) -> std::result::Result<T, Problem>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let found = params.and_then(|params| params.iter().find(|(name, _)| *name == wanted));
    let text = found.map_or("", |(_, text)| text);
    text.parse().map_err(|error: T::Err| Problem::invalid(wanted, error.to_string()))
}

/// A text that is there and not too long.
pub(crate) fn text(field: &str, text: String) -> Result<String> {
    bounded(field, text, 1, TEXT)
}

/// A reason, which may be missing.
pub(crate) fn reason(text: String) -> Result<String> {
    bounded("/why", text, 0, REASON)
}

/// A reason that has to be given.
pub(crate) fn required(text: String) -> Result<String> {
    bounded("/why", text, 1, REASON)
}

/// A title or a name: one line.
pub(crate) fn line(field: &str, text: String) -> Result<String> {
    if text.chars().any(char::is_control) {
        return Err(Error::field(field, "one line, without control characters"));
    }
    bounded(field, text, 1, TITLE)
}

fn bounded(field: &str, text: String, least: usize, most: usize) -> Result<String> {
    let length = text.trim().chars().count();
    if (least..=most).contains(&length) && !text.contains('\0') {
        Ok(text)
    } else {
        Err(Error::field(field, format!("{least} to {most} characters, found {length}")))
    }
}

/// An address that a page may link to: `http`, `https`, or a path of the control room.
pub(crate) fn address(field: &str, link: String) -> Result<String> {
    let web = Url::parse(&link).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if link.chars().count() <= ADDRESS && (web || crate::access::local(&link).is_some()) {
        Ok(link)
    } else {
        Err(Error::field(field, "an address that begins with https://, http:// or /"))
    }
}

/// A person whom `oncall.yaml` knows.
pub(crate) fn person(room: &Room, field: &str, name: String) -> Result<String> {
    let people = room.duty.people();
    let known = people.iter().any(|person| person.name == name);
    // Without the file nobody is known, and people still take roles.
    if known || (people.is_empty() && crate::access::legal(&name)) {
        return Ok(name);
    }
    let names: Vec<&str> = people.iter().map(|person| person.name.as_str()).collect();
    let names = if names.is_empty() { "a name such as ada".to_owned() } else { names.join(", ") };
    Err(Error::field(field, format!("a person of oncall.yaml: {names}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_the_web_or_to_a_page_of_the_control_room() {
        for link in ["https://a.example/x?y", "http://127.0.0.1:9090/graph", "/d/slo"] {
            assert_eq!(address("/url", link.to_owned()).unwrap(), link);
        }
        for link in
            ["", "javascript:alert(1)", "data:text/html,x", "//evil.example", "d/slo", "https:", "mailto:a@b"]
        {
            let refused = address("/url", link.to_owned()).unwrap_err().to_string();
            assert!(refused.starts_with("/url: an address"), "{link}: {refused}");
        }
    }

    #[test]
    fn texts_have_a_length_and_reasons_may_be_missing() {
        assert_eq!(reason(String::new()).unwrap(), "");
        for refused in
            [required("  ".to_owned()), text("/text", "\0".to_owned()), text("/text", "x".repeat(20_001))]
        {
            assert!(refused.unwrap_err().to_string().contains("characters, found"));
        }
    }
}
