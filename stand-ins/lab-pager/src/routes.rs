//! The routes of the pager: the webhooks, the pages, and those of every admin port.
//!
//! * `GET /pages?after=ID` -- a JSON array of [`crate::page::Page`], oldest first.

use std::{collections::BTreeMap, num::NonZeroUsize, sync::Arc};

use axum::{
    Json, Router,
    extract::{Query, State, rejection::QueryRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use serde_json::json;

use crate::{metrics::PagerMetrics, receive, store::Store};

/// The state that the handlers share.
pub struct Pager {
    /// The pages.
    pub store: Store,
    /// The metrics.
    pub metrics: PagerMetrics,
}

impl Pager {
    /// Empty; keeps at most `keep` pages.
    ///
    /// # Errors
    /// When a metric is declared twice, which is a mistake in [`crate::metrics`].
    pub fn new(keep: NonZeroUsize) -> prometheus::Result<Self> {
        Ok(Self { store: Store::new(keep), metrics: PagerMetrics::new()? })
    }
}

/// All routes. Ready whenever it runs, since there is nothing to wait for.
pub fn router(pager: Arc<Pager>) -> Router {
    let version = || async { Json(json!({ "name": "lab-pager", "version": env!("CARGO_PKG_VERSION") })) };
    Router::new()
        .route("/pages", get(pages))
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(|| async { "ready\n" }))
        .route("/version", get(version))
        .route("/metrics", get(scrape))
        .merge(receive::router())
        .fallback(|| async {
            let there = "expected /webhook, /slack, /pages, /livez, /readyz, /metrics, /version";
            problem(StatusCode::NOT_FOUND, "path", there)
        })
        .with_state(pager)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    after: u64,
}

async fn pages(State(pager): State<Arc<Pager>>, asked: Result<Query<Asked>, QueryRejection>) -> Response {
    match asked {
        Ok(Query(Asked { after })) => Json(pager.store.after(after)).into_response(),
        Err(_) => problem(StatusCode::BAD_REQUEST, "after", "the id of a page, as in /pages?after=17"),
    }
}

async fn scrape(State(pager): State<Arc<Pager>>) -> Response {
    match pager.metrics.render(pager.store.len()) {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// An RFC 9457 problem that names what was wrong and what would be right.
pub(crate) fn problem(status: StatusCode, field: &str, right: &str) -> Response {
    let body = json!({
        "type": "about:blank",
        "title": status.canonical_reason(),
        "status": status.as_u16(),
        "detail": format!("{field}: {right}"),
        "errors": BTreeMap::from([(field, right)]),
    });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
}
