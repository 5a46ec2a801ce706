//! The OpenAPI document: made from the handlers, served at `/openapi.json`, committed as `docs/openapi/order-api.json` (a test
//! compares).

use utoipa::OpenApi;

/// What the document says of the whole; [`crate::router::routes`] has the operations.
#[derive(OpenApi)]
#[openapi(info(
    title = "order-api",
    description = "Accepts orders and shows where they stand. Errors are RFC 9457 problems."
))]
pub struct ApiDoc;
