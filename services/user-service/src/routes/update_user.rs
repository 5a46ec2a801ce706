//! `PATCH /users/{id}`: changes a user, and removes the old one from the cache.

use axum::extract::State;
use chassis_faults::scope::Scope;
use chassis_http::{
    Json, Path,
    openapi::{Problem, ToChanges},
};
use contracts::{
    subject,
    users::{UpdateUser, User},
};
use uuid::Uuid;

use crate::{
    domain::{UserStore, validate_update},
    error::ApiError,
    state::AppState,
};

/// Changes a user; what is absent stays.
///
/// # Errors
/// See [`crate::error::problem`].
#[utoipa::path(
    patch,
    path = "/users/{id}",
    operation_id = "update_user",
    params(("id" = Uuid, Path, description = "Id of the user.")),
    request_body = UpdateUser,
    responses(
        ToChanges,
        (status = 200, description = "The user after the change.", body = User),
        (status = 400, description = "A field is not valid.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such user.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database does not answer, or too many requests are in flight.", body = Problem, content_type = "application/problem+json")
    )
)]
pub async fn update_user(
    State(state): State<AppState>,
    Path(id): Path<Uuid>,
    Json(input): Json<UpdateUser>,
) -> Result<axum::Json<User>, ApiError> {
    Scope::identify((subject::USER_ID, &id.to_string()), None);
    let user = state.store.update(id, validate_update(input)?).await?;
    Scope::identify((subject::USER_ID, &id.to_string()), [(subject::USER_TIER, user.tier.as_str())]);
    state.lookup.invalidate(id).await;
    Ok(axum::Json(user))
}
