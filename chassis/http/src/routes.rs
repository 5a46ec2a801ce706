//! The routes of a public port.

use axum::Router;
use http::Method;
use utoipa_axum::router::OpenApiRouter;

use crate::openapi;

/// A router, and method and template of each of its routes: what the label `endpoint` of the metrics may say.
pub struct Routes {
    pub(crate) router: Router,
    pub(crate) declared: Vec<(Method, String)>,
}

impl Routes {
    /// Routes that are declared once, at their handlers (`#[utoipa::path]`, collected by `routes!`): the router, the labels of
    /// the metrics and the document, which is served at `/openapi.json`, all come from there.
    #[must_use]
    pub fn documented(routes: OpenApiRouter) -> Self {
        let document = openapi::document(&routes);
        let declared = openapi::operations(&document);
        Self { router: Router::from(routes).merge(openapi::serving(&document)), declared }
    }

    /// Routes without a document; `declared` lists method and template of each.
    #[must_use]
    pub fn plain(router: Router, declared: &[(&str, &str)]) -> Self {
        let declared = declared.iter().map(|(method, template)| {
            let method = Method::from_bytes(method.as_bytes()).unwrap_or_default();
            (method, (*template).to_owned())
        });
        Self { router, declared: declared.collect() }
    }
}
