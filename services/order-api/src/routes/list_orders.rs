//! `GET /orders`: a page of orders, newest first, of one user, of one status, or of all.

use axum::{Json, extract::State};
use chassis_http::{
    Page, Query,
    openapi::{Problem, ToAnything},
};
use contracts::orders::{OrderPage, OrderStatus};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{domain::ListFilter, error::OrderError, state::AppState};

/// What the cursors of this list begin with.
const TAG: &str = "o1";

/// What to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// Only this user's orders.
    user_id: Option<Uuid>,
    /// Only orders that stand here.
    status: Option<OrderStatus>,
    /// Orders on a page, 1 to 100, by default 20.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    #[param(pattern = "^o1[0-9a-fA-F]{32}$")]
    cursor: Option<String>,
}

/// Lists orders.
///
/// # Errors
/// 400 naming the parameter, and 503 while the database does not answer.
#[utoipa::path(get, path = "/orders", params(ListParams), responses(
    ToAnything,
    (status = 200, body = OrderPage),
    (status = 400, description = "invalid-request", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "storage-unavailable, overloaded", body = Problem, content_type = "application/problem+json"),
))]
pub async fn list_orders(
    State(state): State<AppState>,
    Query(params): Query<ListParams>,
) -> Result<Json<OrderPage>, OrderError> {
    let page = Page::asked(TAG, params.limit, params.cursor.as_deref())?;
    let ListParams { user_id, status, .. } = params;
    let filter = ListFilter { user_id, status, below: page.after(), rows: page.rows() };
    let (orders, next_cursor) = page.of(state.orders.list(&filter).await?, |order| order.id);
    Ok(Json(OrderPage { orders, next_cursor }))
}
