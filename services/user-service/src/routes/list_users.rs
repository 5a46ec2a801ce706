//! `GET /users`: all users, page by page, in order of id. Reads the database: a page is not cached.

use axum::extract::State;
use chassis_http::{
    Page, Query,
    openapi::{Problem, ToAnything},
};
use contracts::users::UserPage;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{domain::UserStore, error::ApiError, state::AppState};

/// What the cursors of this list begin with.
const TAG: &str = "id_";

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
    Query(query): Query<PageQuery>,
) -> Result<axum::Json<UserPage>, ApiError> {
    let page = Page::asked(TAG, query.limit, query.cursor.as_deref())?;
    let users = state.store.list(page.after(), page.rows()).await?;
    let (users, next_cursor) = page.of(users, |user| user.id);
    Ok(axum::Json(UserPage { users, next_cursor }))
}
