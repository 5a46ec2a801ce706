//! The OpenAPI document, generated from the handlers and the contracts. A copy is committed in `docs/openapi/`.

use utoipa::OpenApi;

/// What the document says of the whole; [`crate::router::routes`] has the operations.
#[derive(OpenApi)]
#[openapi(info(title = "user-service", description = "Users behind a Redis cache."))]
pub struct ApiDoc;
