//! The routes of user-service on one screen.

use axum::{Router, routing::get};

use crate::{
    openapi,
    routes::{create_user, get_user, list_users, update_user},
    state::AppState,
};

/// Method and template of every public route.
pub const ROUTES: &[(&str, &str)] = &[
    ("GET", "/users"),
    ("POST", "/users"),
    ("GET", "/users/{id}"),
    ("PATCH", "/users/{id}"),
    ("GET", "/openapi.json"),
];

/// The public routes with their state; the chassis adds the layers.
pub fn router(state: AppState) -> Router {
    Router::new()
        .route("/users", get(list_users).post(create_user))
        .route("/users/{id}", get(get_user).patch(update_user))
        .route("/openapi.json", get(openapi::document))
        .with_state(state)
}
