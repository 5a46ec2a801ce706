//! The routes of a public port.

use axum::Router;
use http::Method;
use utoipa_axum::router::OpenApiRouter;

use crate::openapi;

/// A router, and method and template of each of its routes: what the label `endpoint` of the metrics may say.
pub struct Routes {
    pub(crate) router: Router,
    pub(crate) declared: Vec<(Method, String)>,
    /// Whether series begin at 0, before the first request.
    pub(crate) counted_from_zero: bool,
}

impl Routes {
    /// Routes that are declared once, at their handlers (`#[utoipa::path]`, collected by `routes!`): the router, the labels of
    /// the metrics and the document, which is served at `/openapi.json`, all come from there.
    #[must_use]
    pub fn documented(routes: OpenApiRouter) -> Self {
        let document = openapi::document(&routes);
        let declared = openapi::operations(&document);
        Self {
            router: Router::from(routes).merge(openapi::serving(&document)),
            declared,
            counted_from_zero: true,
        }
    }

    /// Routes without a document; `declared` lists method and template of each.
    #[must_use]
    pub fn plain(router: Router, declared: &[(&str, &str)]) -> Self {
        let declared = declared.iter().map(|(method, template)| {
            let method = Method::from_bytes(method.as_bytes()).unwrap_or_default();
            (method, (*template).to_owned())
        });
        Self { router, declared: declared.collect(), counted_from_zero: true }
    }

    /// Both. The document of documented routes stays as it is.
    ///
    /// # Panics
    /// When both declare the same method and template, or both are documented.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.declared.extend(other.declared);
        self.counted_from_zero &= other.counted_from_zero;
        self
    }

    /// Series begin with the first request of each route and status, not at 0 when the program starts. For a program with
    /// hundreds of routes, of which a person opens a few, and about which no objective is: its first failure does not count in
    /// a rate, and Prometheus does not keep thousands of series that never move.
    #[must_use]
    pub fn counted_when_asked(mut self) -> Self {
        self.counted_from_zero = false;
        self
    }

    /// Method and template of each.
    #[must_use]
    pub fn declared(&self) -> &[(Method, String)] {
        &self.declared
    }
}
