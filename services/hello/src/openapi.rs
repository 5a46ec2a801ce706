//! The OpenAPI document, generated from the handlers and served at `/openapi.json`.

use utoipa::OpenApi;

/// What the document says of the whole; [`crate::router::routes`] has the operations.
#[derive(OpenApi)]
#[openapi(info(title = "hello", description = "The smallest service, to copy."))]
pub struct ApiDoc;
