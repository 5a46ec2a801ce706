//! What agents look at, as plain routes: the same functions as the tools at `/mcp`, for programs that speak
//! HTTP only. Reading, with a trainee's eyes; every call is in the journal.

mod system;
mod telemetry;

use utoipa_axum::{router::OpenApiRouter, routes};

use super::Api;

/// The routes of this module.
pub(super) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(telemetry::metrics))
        .routes(routes!(telemetry::logs))
        .routes(routes!(telemetry::traces))
        .routes(routes!(system::alerts))
        .routes(routes!(system::map))
        .routes(routes!(system::changes))
        .routes(routes!(system::runbooks))
        .routes(routes!(system::incident))
        .routes(routes!(system::usage))
}
