//! The table of contents of the public port: each route by its handler, which says method and template.

use utoipa::OpenApi as _;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    openapi::ApiDoc,
    routes::{get_order, list_orders, place_order, risky},
    state::AppState,
};

/// The public routes, without the layers of the chassis.
#[must_use]
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(ApiDoc::openapi())
        .routes(routes!(place_order::place_order, list_orders::list_orders))
        .routes(routes!(get_order::get_order))
        .routes(routes!(risky::risky))
}
