//! `GET /users/{id}`: one user, through the cache.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use chassis_faults::scope::Scope;
use chassis_http::{
    Path,
    openapi::{Problem, ToAnything},
};
use contracts::{subject, users::User};
use uuid::Uuid;

use crate::{
    domain::UserError,
    error::{ApiError, problem},
    state::AppState,
};

/// Reads one user.
///
/// # Errors
/// See [`crate::error::problem`].
#[utoipa::path(
    get,
    path = "/users/{id}",
    operation_id = "get_user",
    params(("id" = Uuid, Path, description = "Id of the user.")),
    responses(
        ToAnything,
        (status = 200, description = "The user.", body = User,
         headers(("x-cache" = String, description = "`hit`, `miss`, `stale` or `bypass`."))),
        (status = 400, description = "The id is not a UUID.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such user.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database does not answer and no copy is there, or too many requests are in flight.", body = Problem, content_type = "application/problem+json")
    )
)]
pub async fn get_user(State(state): State<AppState>, Path(id): Path<Uuid>) -> Result<Response, ApiError> {
    Scope::identify((subject::USER_ID, &id.to_string()), None);
    let found = state.lookup.get(id, state.switches.now()).await?;
    let x_cache = [("x-cache", found.status.as_str())];
    let Some(user) = found.user else {
        return Ok((x_cache, problem(&UserError::NotFound)).into_response());
    };
    Scope::identify((subject::USER_ID, &id.to_string()), [(subject::USER_TIER, user.tier.as_str())]);
    state.active_users.saw(id);
    Ok((x_cache, axum::Json(user)).into_response())
}
