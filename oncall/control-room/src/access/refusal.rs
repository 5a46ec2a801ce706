//! What a person reads when a form was wrong or a page is for others: the status, what was wrong, the way back. Plain HTML,
//! because pages know this module and not the other way round; the layer of the pages may take [`Refusal`] from the
//! extensions of the response and draw it as one of its own.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use maud::{DOCTYPE, Markup, html};

/// A request of a page that was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// 403, 422.
    pub status: StatusCode,
    /// In a few words.
    pub title: String,
    /// What happened and what to do.
    pub detail: String,
    /// Each wrong field, and what would be right.
    pub fields: Vec<(String, String)>,
    /// Where to go: address and text.
    pub way: (String, String),
}

impl Refusal {
    /// A form with a wrong field.
    #[must_use]
    pub fn field(name: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::form(
            "Nothing was changed. Go back, correct the form and send it again.",
            vec![(name.into(), expected.into())],
        )
    }

    /// A form that cannot be taken.
    #[must_use]
    pub fn form(detail: &str, fields: Vec<(String, String)>) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            title: "This form was not accepted".to_owned(),
            detail: detail.to_owned(),
            fields,
            way: ("/".to_owned(), "To the first page".to_owned()),
        }
    }

    /// A page for instructors; `login` is where to become one.
    #[must_use]
    pub fn forbidden(detail: &str, login: &str) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            title: "For instructors".to_owned(),
            detail: detail.to_owned(),
            fields: Vec::new(),
            way: (login.to_owned(), "Enter as instructor".to_owned()),
        }
    }

    fn page(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title) " · control room" }
                }
                body {
                    main {
                        h1 { (self.title) }
                        p { (self.detail) }
                        @if !self.fields.is_empty() {
                            dl {
                                @for (name, expected) in &self.fields {
                                    dt { (name) }
                                    dd { (expected) }
                                }
                            }
                        }
                        p { a href=(self.way.0) { (self.way.1) } }
                    }
                }
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        let mut response = (self.status, [(CONTENT_TYPE, html)], self.page().into_string()).into_response();
        response.extensions_mut().insert(self);
        response
    }
}
