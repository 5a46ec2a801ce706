//! The OpenAPI document: generated from the handlers, served at `/openapi.json`, committed as
//! `docs/openapi/order-api.json` (a test compares).

use axum::{Json, response::IntoResponse};
use chassis_http::openapi::{Problem, ToAnything};
use utoipa::OpenApi;

use crate::routes;

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "order-api",
        description = "Accepts orders and shows where they stand. Errors are RFC 9457 problems."
    ),
    paths(
        routes::place_order::place_order,
        routes::list_orders::list_orders,
        routes::get_order::get_order,
        routes::risky::risky,
        openapi
    ),
    components(schemas(Problem))
)]
pub struct ApiDoc;

/// This document.
#[utoipa::path(get, path = "/openapi.json", operation_id = "openapi",
    responses(ToAnything, (status = 200, description = "This document.")))]
pub async fn openapi() -> impl IntoResponse {
    Json(ApiDoc::openapi())
}

/// The document as it is committed: indented JSON with a final line end.
#[must_use]
pub fn document() -> String {
    let mut text = ApiDoc::openapi().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}
