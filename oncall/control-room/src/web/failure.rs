//! Why a page was not shown or a form not taken: the one table from errors to what a person reads.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use incident::Refused;
use maud::{Markup, html};

use super::{
    layout::{Html, bare},
    parts::{Tone, button_link},
};
use crate::{access::Refusal, error::Error};

/// An error of a page.
#[derive(Debug)]
pub(crate) struct Failure(Refusal);

/// What handlers of pages return.
pub(crate) type Answer<T = Html> = Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let text = sentence(&error);
        let (status, title) = match &error {
            Error::NoIncident(_) => (StatusCode::NOT_FOUND, "There is no such incident"),
            Error::NoSuch { .. } | Error::Refused(Refused::Unknown { .. }) => {
                (StatusCode::NOT_FOUND, "There is no such page")
            }
            Error::Field { .. } | Error::Fields(_) | Error::Refused(Refused::Empty { .. }) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "This form was not accepted")
            }
            Error::Refused(_) => (StatusCode::CONFLICT, "This is not possible now"),
            Error::Runbook(_) => (StatusCode::CONFLICT, "The run does not allow this now"),
            Error::Release(_) => (StatusCode::CONFLICT, "The release does not allow this now"),
            Error::Conflict(_) => (StatusCode::CONFLICT, "Somebody else was quicker"),
            Error::NotHere { .. } => (StatusCode::CONFLICT, "This is not possible here"),
            Error::ForInstructors(_) => (StatusCode::FORBIDDEN, "This is for instructors"),
            Error::NotYours(_) => (StatusCode::FORBIDDEN, "Somebody else has to do this"),
            Error::Elsewhere(_) => (StatusCode::BAD_GATEWAY, "Something does not answer"),
            Error::Store(_) | Error::Row(_) => {
                // The cause is for the log: a page says what to do.
                tracing::error!(error = %error, "a page could not be made");
                (StatusCode::SERVICE_UNAVAILABLE, "The control room cannot read its file")
            }
        };
        let detail = match &error {
            Error::Store(_) | Error::Row(_) => "Try again. If it stays so, its log says why.".to_owned(),
            // How programs list them helps nobody who looks at a page.
            Error::NoIncident(id) => format!("There is no {id}."),
            Error::NoSuch { what, name, known } if known.contains("GET /api/") => {
                format!("There is no {what} {name}.")
            }
            _ => text,
        };
        let way = match &error {
            Error::NoIncident(_) => ("/incidents", "All incidents"),
            Error::NoSuch { what: "release", .. } => ("/releases", "All releases"),
            _ => ("/", "To the first page"),
        };
        let way = (way.0.to_owned(), way.1.to_owned());
        Self(Refusal { status, title: title.to_owned(), detail, fields: Vec::new(), way })
    }
}

impl Failure {
    /// The status of the answer.
    pub(super) fn status(&self) -> StatusCode {
        self.0.status
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        // The layer of the pages draws it.
        self.0.into_response()
    }
}

/// An error as a sentence.
pub(crate) fn sentence(error: &Error) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// A refusal in the look of all pages.
pub(super) fn page(refusal: &Refusal) -> Response {
    let body = html! {
        div.stack {
            h1 { (refusal.title) }
            p { (refusal.detail) }
            (fields(&refusal.fields))
            p.row { (button_link(&refusal.way.1, &refusal.way.0, Tone::Info)) }
        }
    };
    (refusal.status, bare(&refusal.title, body)).into_response()
}

fn fields(wrong: &[(String, String)]) -> Markup {
    html! {
        @if !wrong.is_empty() {
            dl.kv {
                @for (name, expected) in wrong { dt.mono { (name) } dd { (expected) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use incident::{Id, State};

    use super::*;

    #[test]
    fn every_error_says_what_was_wrong_with_the_status_of_its_kind() {
        let id = Id(7);
        for (error, status, said) in [
            (Error::NoIncident(id), 404, "INC-7"),
            (Error::field("title", "expected a few words"), 422, "a few words"),
            (
                Refused::NotOpen { id, state: State::Closed, what: "alerts can join" }.into(),
                409,
                "open a new one",
            ),
            (Refused::Empty { id, what: "the title" }.into(), 422, "the title is empty"),
            (Error::Conflict("version 3 exists".to_owned()), 409, "Version 3 exists."),
            (Error::Elsewhere("Slack does not answer".to_owned()), 502, "Slack does not answer."),
        ] {
            let Failure(refusal) = error.into();
            assert_eq!(refusal.status.as_u16(), status, "{refusal:?}");
            assert!(refusal.detail.contains(said), "{refusal:?}");
        }
    }

    #[test]
    fn what_does_not_exist_leads_to_the_list_and_not_to_the_api() {
        let known = "those of GET /api/v1/releases".to_owned();
        let release = Error::NoSuch { what: "release", name: "REL-9".to_owned(), known };
        for (error, said, list) in [
            (Error::NoIncident(Id(7)), "There is no INC-7.", "/incidents"),
            (release, "There is no release REL-9.", "/releases"),
        ] {
            let Failure(refusal) = error.into();
            assert_eq!((refusal.detail.as_str(), refusal.way.0.as_str()), (said, list));
        }
    }

    #[test]
    fn a_failure_of_the_store_tells_no_secret() {
        let Failure(refusal) = Error::Store(sqlx::Error::Protocol("/secret/path".to_owned())).into();
        assert_eq!(refusal.status, 503);
        assert!(!refusal.detail.contains("secret"), "{refusal:?}");
    }
}
