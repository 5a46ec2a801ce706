//! `GET /orders`: a page of orders, newest first, of one user, of one status, or of all.

use axum::{Json, extract::State};
use chassis_http::Query;
use contracts::{
    orders::{OrderPage, OrderStatus},
    problems::{Problem, ToAnything},
};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::{
    domain::{Cursor, ListFilter},
    error::OrderError,
    state::AppState,
};

const DEFAULT_LIMIT: u32 = 20;
const MAX_LIMIT: u32 = 100;

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
    #[param(pattern = "^o1[0-9a-f]{32}$")]
    cursor: Option<String>,
}

impl ListParams {
    fn filter(self) -> Result<ListFilter, OrderError> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(OrderError::invalid("limit", format!("1 to {MAX_LIMIT}")));
        }
        let cursor = match self.cursor.as_deref() {
            None => None,
            Some(text) => match Cursor::decode(text) {
                Some(cursor) => Some(cursor),
                None => return Err(OrderError::invalid("cursor", "`next_cursor` of the page before")),
            },
        };
        Ok(ListFilter { user_id: self.user_id, status: self.status, limit, cursor })
    }
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
    let filter = params.filter()?;
    let (orders, more) = state.orders.list(&filter).await?;
    let last = orders.last().filter(|_| more);
    let next_cursor = last.map(|order| Cursor::after(order.id).encode());
    Ok(Json(OrderPage { orders, next_cursor }))
}
