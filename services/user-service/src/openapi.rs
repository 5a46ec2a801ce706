//! The OpenAPI document, generated from the handlers and the contracts. A copy is committed in `docs/openapi/`.

use axum::Json;
use contracts::{
    problems::{Problem, ToAnything},
    users::{CreateUser, UpdateUser, User, UserPage, UserTier},
};
use utoipa::OpenApi;

use crate::routes;

/// Collects the operations and schemas.
#[derive(OpenApi)]
#[openapi(
    info(title = "user-service", description = "Users behind a Redis cache."),
    paths(
        routes::list_users::list_users,
        routes::create_user::create_user,
        routes::get_user::get_user,
        routes::update_user::update_user,
        document
    ),
    components(schemas(Problem, User, UserPage, UserTier, CreateUser, UpdateUser))
)]
pub struct ApiDoc;

/// This document.
#[utoipa::path(get, path = "/openapi.json", operation_id = "openapi", responses(ToAnything, (status = 200, description = "This document.")))]
pub async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(ApiDoc::openapi())
}
