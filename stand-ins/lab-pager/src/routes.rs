//! What the pager answers beside what every program has on its admin port: the webhooks and the pages.
//!
//! * `GET /pages?after=ID` -- a JSON array of [`crate::page::Page`], oldest first.

use std::{num::NonZeroUsize, sync::Arc};

use axum::{Router, extract::State, routing::get};
use chassis_http::{Json, Query};
use chassis_telemetry::metrics::Metrics;
use serde::Deserialize;

use crate::{metrics::PagerMetrics, page::Page, receive, store::Store};

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
pub struct Pager {
    /// The pages.
    pub store: Arc<Store>,
    /// What is exported.
    pub metrics: PagerMetrics,
}

impl Pager {
    /// Holds nothing yet, and at most `keep` pages.
    #[must_use]
    pub fn new(keep: NonZeroUsize, metrics: &Metrics) -> Self {
        let store = Arc::new(Store::new(keep));
        Self { metrics: PagerMetrics::register(metrics, Arc::clone(&store)), store }
    }
}

/// The paths of [`router`].
pub const PATHS: &[&str] = &["/webhook", "/slack", "/pages"];

/// The routes.
pub fn router(pager: Pager) -> Router {
    Router::new().route("/pages", get(pages)).merge(receive::router()).with_state(pager)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    after: u64,
}

async fn pages(State(pager): State<Pager>, Query(Asked { after }): Query<Asked>) -> Json<Vec<Page>> {
    Json(pager.store.after(after))
}
