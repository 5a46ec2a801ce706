//! The routes of hello on one screen: each by its handler, which says method and template.

use utoipa::OpenApi as _;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{openapi::ApiDoc, routes::greet, state::AppState};

/// The public routes; the chassis adds the layers.
#[must_use]
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(ApiDoc::openapi()).routes(routes!(greet::greet))
}
