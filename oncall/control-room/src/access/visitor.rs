//! Who is there, as an argument of handlers. The API answers a problem to strangers; pages send them to the login page.

use axum::{
    extract::{FromRef, FromRequestParts},
    response::{IntoResponse, Redirect, Response},
};
use chassis_http::{Problem, problems::UNAUTHORIZED};
use http::{Method, request::Parts};
use incident::{Source, Viewer};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{PERSON, Refusal, SOMEBODY};
use crate::{api::problems::FORBIDDEN, room::Room};

/// Somebody who may look and act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visitor {
    /// Who acts: a person of `oncall.yaml`, or [`SOMEBODY`].
    pub name: String,
    /// What may be seen.
    pub role: Viewer,
}

/// A visitor who is an instructor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instructor(pub Visitor);

impl Visitor {
    pub(super) fn new(name: Option<&str>, role: Viewer) -> Self {
        Self { name: name.unwrap_or(SOMEBODY).to_owned(), role }
    }

    /// Who did it, for a timeline.
    #[must_use]
    pub fn source(&self) -> Source {
        Source::Person(self.name.clone())
    }

    /// Whether faults and the truth may be seen.
    #[must_use]
    pub fn is_instructor(&self) -> bool {
        self.role == Viewer::Instructor
    }

    /// The role in cookies.
    pub(super) const fn letter(&self) -> &'static str {
        match self.role {
            Viewer::Trainee => "t",
            Viewer::Instructor => "i",
        }
    }

    pub(super) fn role_of(letter: &str) -> Option<Viewer> {
        match letter {
            "t" => Some(Viewer::Trainee),
            "i" => Some(Viewer::Instructor),
            _ => None,
        }
    }

    /// The visitor of a request. A name that `oncall.yaml` does not have (any more) is nobody's, but a program that sends one
    /// is told. So is one that sends another name than that of its token or session.
    fn of(parts: &Parts, room: &Room) -> Result<Self, Response> {
        let visitor = room.access.visitor(&parts.headers).ok_or_else(|| stranger(parts))?;
        let people = room.duty.people();
        let unknown = |name: &str| !people.is_empty() && !people.iter().any(|person| person.name == name);
        if let Some(said) = parts.headers.get(PERSON)
            && (said.to_str().ok() != Some(visitor.name.as_str()) || unknown(&visitor.name))
        {
            let known: Vec<&str> = people.iter().map(|person| person.name.as_str()).collect();
            let known = if known.is_empty() { "a name such as ada".to_owned() } else { known.join(", ") };
            let right = match visitor.name.as_str() {
                SOMEBODY if room.access.knows_people() => {
                    "none: here only a person's own token (PERSON_TOKENS) says who acts".to_owned()
                }
                name if name != SOMEBODY && !unknown(name) => {
                    format!("{name}, as the token or the session says, or none")
                }
                _ => format!("a person of oncall.yaml: {known}"),
            };
            return Err(Problem::invalid("X-Person", right).into_response());
        }
        Ok(if unknown(&visitor.name) { Self::new(None, visitor.role) } else { visitor })
    }
}

impl<S> FromRequestParts<S> for Visitor
where
    Room: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        Self::of(parts, &Room::from_ref(state))
    }
}

impl<S> FromRequestParts<S> for Instructor
where
    Room: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let visitor = Visitor::of(parts, &Room::from_ref(state))?;
        if visitor.is_instructor() {
            return Ok(Self(visitor));
        }
        let detail =
            "Only instructors may do this: faults and the truth about an incident are hidden from trainees.";
        let problem = Problem::new(&FORBIDDEN, detail);
        Err(if is_for_programs(parts.uri.path()) {
            problem.into_response()
        } else {
            Refusal::forbidden(detail, &login(parts)).into_response()
        })
    }
}

/// The answer to somebody without a token.
fn stranger(parts: &Parts) -> Response {
    if is_for_programs(parts.uri.path()) {
        let detail = "The control room needs a token: send `Authorization: Bearer …` with ACCESS_TOKEN, INSTRUCTOR_TOKEN or your own.";
        Problem::new(&UNAUTHORIZED, detail).into_response()
    } else {
        Redirect::to(&login(parts)).into_response()
    }
}

/// The login page, which leads back to what was asked for. A form is lost, so it leads to the first page.
fn login(parts: &Parts) -> String {
    let next = parts.uri.path_and_query().map(http::uri::PathAndQuery::as_str);
    match next.filter(|next| parts.method == Method::GET && *next != "/") {
        Some(next) => format!("/login?next={}", utf8_percent_encode(next, NON_ALPHANUMERIC)),
        None => "/login".to_owned(),
    }
}

/// Whether scripts and programs ask for this path, and no person.
fn is_for_programs(path: &str) -> bool {
    let prefixes = ["/api/", "/v2/", "/hooks/", "/mcp"];
    prefixes.iter().any(|prefix| path.starts_with(prefix)) || path.ends_with(".json")
}

/// A path of this site, for a redirect to where somebody came from; `None` for anything that leads elsewhere.
#[must_use]
pub fn local(path: &str) -> Option<&str> {
    // Browsers read a backslash as a slash, and skip control characters.
    let plain = !path.chars().any(|c| c == '\\' || c.is_control());
    (plain && path.starts_with('/') && !path.starts_with("//")).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_this_site_is_local() {
        for path in ["/", "/incidents/INC-1?x=//y", "/d/slo"] {
            assert_eq!(local(path), Some(path));
        }
        for path in
            ["", "incidents", "//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example"]
        {
            assert_eq!(local(path), None, "{path}");
        }
    }

    #[test]
    fn the_login_page_leads_back_to_a_page_and_not_to_a_form() {
        let parts = |method: Method, uri: &str| {
            http::Request::builder().method(method).uri(uri).body(()).unwrap().into_parts().0
        };
        let back = login(&parts(Method::GET, "/incidents?state=active"));
        assert_eq!(back, "/login?next=%2Fincidents%3Fstate%3Dactive");
        assert_eq!(login(&parts(Method::POST, "/incidents/INC-1/state")), "/login");
        assert_eq!(login(&parts(Method::GET, "/")), "/login");
    }
}
