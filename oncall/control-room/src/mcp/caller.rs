//! Who asks: a person or a program, and on which way.

use axum::{
    extract::{FromRef, FromRequestParts},
    response::{IntoResponse as _, Response},
};
use chassis_http::Problem;
use http::request::Parts;
use incident::Viewer;
use serde::Serialize;

use super::PATH;
use crate::{
    access::{Visitor, legal},
    room::Room,
};

/// The header with a program's name, which need not be in `oncall.yaml`.
pub const AGENT: &str = "x-agent";

/// On which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// `/api/v1/observe`.
    Http,
    /// `/mcp`.
    Mcp,
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Acts under its own name, and sees what a trainee sees: an instructor's token opens nothing here.
    pub visitor: Visitor,
    /// On which way.
    pub via: Via,
}

impl Caller {
    /// `is_person`: whether a name is that of a person. A program has none but that of its visitor.
    fn of(visitor: Visitor, parts: &Parts, is_person: impl Fn(&str) -> bool) -> Result<Self, Problem> {
        let name = match parts.headers.get(AGENT) {
            None => visitor.name,
            Some(sent) => {
                let name = sent.to_str().ok().filter(|name| legal(name));
                let right = "a name of a-z, 0-9 and `-`, at most 63 characters, such as my-agent";
                let name = name.ok_or_else(|| Problem::invalid("X-Agent", right))?;
                if name != visitor.name && is_person(name) {
                    let right = "the name of a program: this one is a person of oncall.yaml";
                    return Err(Problem::invalid("X-Agent", right));
                }
                name.to_owned()
            }
        };
        let via = if parts.uri.path() == PATH { Via::Mcp } else { Via::Http };
        Ok(Self { visitor: Visitor { name, role: Viewer::Trainee }, via })
    }
}

impl<S> FromRequestParts<S> for Caller
where
    Room: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let visitor = Visitor::from_request_parts(parts, state).await?;
        let people = Room::from_ref(state).duty.people();
        let is_person = |name: &str| people.iter().any(|person| person.name == name);
        Self::of(visitor, parts, is_person).map_err(|problem| problem.into_response())
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn caller(path: &str, agent: Option<&str>) -> Result<Caller, Problem> {
        let request = Request::builder().uri(path);
        let request = agent.into_iter().fold(request, |request, name| request.header(AGENT, name));
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let ada = Visitor { name: "ada".to_owned(), role: Viewer::Instructor };
        Caller::of(ada, &parts, |name| ["ada", "ben"].contains(&name))
    }

    #[test]
    fn an_instructor_is_a_trainee_here_and_a_program_has_its_own_name() {
        let ada = caller("/api/v1/observe/alerts", None).unwrap();
        assert_eq!((&*ada.visitor.name, ada.visitor.role, ada.via), ("ada", Viewer::Trainee, Via::Http));
        let agent = caller("/mcp", Some("my-agent-2")).unwrap();
        assert_eq!((&*agent.visitor.name, agent.via), ("my-agent-2", Via::Mcp));
        assert_eq!(caller("/mcp", Some("ada")).unwrap().visitor.name, "ada");
        for wrong in ["", "My agent", "<b>", "ben"] {
            let refused = caller("/mcp", Some(wrong)).unwrap_err();
            assert!(refused.errors.contains_key("X-Agent"), "{wrong}: {refused:?}");
        }
    }
}
