//! `GET /risky`: succeeds or fails with its backend.

use axum::{Json, extract::State};
use chassis_http::openapi::{Problem, ToAnything};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{error::OrderError, state::AppState};

/// It went well.
#[derive(Debug, Serialize, ToSchema)]
pub struct RiskyAnswer {
    /// Always `ok`.
    status: &'static str,
}

/// Asks the flaky backend.
///
/// # Errors
/// 500 when it fails.
#[utoipa::path(get, path = "/risky", responses(
    ToAnything,
    (status = 200, body = RiskyAnswer),
    (status = 500, description = "internal: the backend failed", body = Problem, content_type = "application/problem+json"),
))]
pub async fn risky(State(state): State<AppState>) -> Result<Json<RiskyAnswer>, OrderError> {
    state.backend.ask()?;
    Ok(Json(RiskyAnswer { status: "ok" }))
}
