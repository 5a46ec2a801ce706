//! `GET /users`: all users, page by page, in order of id. Reads the database: a page is not cached.

use axum::extract::State;
use chassis_http::Query;
use contracts::{
    problems::{Problem, ToAnything},
    users::UserPage,
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    domain::{UserStore, decode_cursor, encode_cursor, page_limit},
    error::ApiError,
    state::AppState,
};

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Users of the page: 1 to 100, 20 when absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[param(pattern = "^id_[0-9a-fA-F]{32}$")]
    cursor: Option<String>,
}

/// Lists users.
///
/// # Errors
/// See [`crate::error::problem`].
#[utoipa::path(
    get,
    path = "/users",
    operation_id = "list_users",
    params(PageQuery),
    responses(
        ToAnything,
        (status = 200, description = "A page of users.", body = UserPage),
        (status = 400, description = "A parameter is not valid.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The database does not answer, or too many requests are in flight.", body = Problem, content_type = "application/problem+json")
    )
)]
pub async fn list_users(
    State(state): State<AppState>,
    Query(page): Query<PageQuery>,
) -> Result<axum::Json<UserPage>, ApiError> {
    let limit = page_limit(page.limit)?;
    let after = page.cursor.as_deref().map(decode_cursor).transpose()?;
    // One row more than requested shows whether there is a next page.
    let mut users = state.store.list(after, limit + 1).await?;
    let more = users.len() > limit as usize;
    users.truncate(limit as usize);
    let next_cursor = users.last().filter(|_| more).map(|user| encode_cursor(user.id));
    Ok(axum::Json(UserPage { users, next_cursor }))
}
