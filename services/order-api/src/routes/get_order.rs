//! `GET /orders/{id}`: where an order stands.

use axum::{Json, extract::State};
use chassis_http::{
    Path,
    openapi::{Problem, ToAnything},
};
use contracts::orders::Order;
use uuid::Uuid;

use crate::{error::OrderError, state::AppState};

/// Shows one order.
///
/// # Errors
/// 404, and 503 while the database does not answer.
#[utoipa::path(get, path = "/orders/{id}", params(("id" = Uuid, Path, description = "The order")), responses(
    ToAnything,
    (status = 200, body = Order),
    (status = 400, description = "invalid-request", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "not-found", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "storage-unavailable, overloaded", body = Problem, content_type = "application/problem+json"),
))]
pub async fn get_order(
    State(state): State<AppState>,
    Path(id): Path<Uuid>,
) -> Result<Json<Order>, OrderError> {
    let order = state.orders.get(id).await?;
    Ok(Json(order.ok_or(OrderError::NotFound)?))
}
