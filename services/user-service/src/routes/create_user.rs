//! `POST /users`: a new user.

use axum::{extract::State, response::IntoResponse};
use chassis_faults::scope::Scope;
use chassis_http::{
    Json,
    openapi::{Problem, ToChanges},
};
use contracts::{
    subject,
    users::{CreateUser, User},
};
use http::{StatusCode, header::LOCATION};

use crate::{
    domain::{UserStore, validate_new},
    error::ApiError,
    state::AppState,
};

/// Creates a user.
///
/// # Errors
/// See [`crate::error::problem`].
#[utoipa::path(
    post,
    path = "/users",
    operation_id = "create_user",
    request_body = CreateUser,
    responses(
        ToChanges,
        (status = 201, description = "The new user.", body = User,
         headers(("location" = String, description = "Where to read it."))),
        (status = 400, description = "A field is not valid.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Another user has this e-mail address.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database does not answer, or too many requests are in flight.", body = Problem, content_type = "application/problem+json")
    )
)]
pub async fn create_user(
    State(state): State<AppState>,
    Json(input): Json<CreateUser>,
) -> Result<impl IntoResponse, ApiError> {
    let user = state.store.insert(validate_new(input)?).await?;
    Scope::identify((subject::USER_ID, &user.id.to_string()), [(subject::USER_TIER, user.tier.as_str())]);
    Ok((StatusCode::CREATED, [(LOCATION, format!("/users/{}", user.id))], axum::Json(user)))
}
