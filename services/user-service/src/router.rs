//! The routes of user-service on one screen: each by its handler, which says method and template.

use utoipa::OpenApi as _;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    openapi::ApiDoc,
    routes::{create_user, get_user, list_users, update_user},
    state::AppState,
};

/// The public routes; the chassis adds the layers.
#[must_use]
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(ApiDoc::openapi())
        .routes(routes!(list_users::list_users, create_user::create_user))
        .routes(routes!(get_user::get_user, update_user::update_user))
}
