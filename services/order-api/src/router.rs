//! The table of contents of the public port.

use axum::{
    Router,
    routing::{get, post},
};

use crate::{openapi, routes, state::AppState};

/// Every public route, as (method, template): the values of the metrics' `endpoint` label.
pub const ROUTES: &[(&str, &str)] = &[
    ("POST", "/orders"),
    ("GET", "/orders"),
    ("GET", "/orders/{id}"),
    ("GET", "/risky"),
    ("GET", "/openapi.json"),
];

/// The public routes with their state, without the chassis's layers.
pub fn router(state: AppState) -> Router {
    Router::new()
        .route("/orders", post(routes::place_order::place_order).get(routes::list_orders::list_orders))
        .route("/orders/{id}", get(routes::get_order::get_order))
        .route("/risky", get(routes::risky::risky))
        .route("/openapi.json", get(openapi::openapi))
        .with_state(state)
}
