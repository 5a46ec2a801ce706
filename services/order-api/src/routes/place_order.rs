//! `POST /orders`: checks the order, asks user-service about the user, stores order and outbox entry, responds with 202.

use axum::{
    Json as Answer,
    extract::State,
    response::{IntoResponse, Response},
};
use chassis_faults::scope::Scope;
use chassis_http::Json;
use chrono::{SubsecRound, Utc};
use contracts::{
    orders::{Accepted, OrderStatus, PlaceOrder},
    problems::{Problem, ToChanges},
    subject,
};
use http::{HeaderMap, StatusCode, header::LOCATION};
use uuid::Uuid;

use crate::{
    adapters::Placed,
    domain::{self, Earlier, IdempotencyKey, NewOrder},
    error::OrderError,
    state::AppState,
};

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Accepts an order.
///
/// # Errors
/// 400 naming the fields, 409 for a key that belongs to another order, 422 for an unknown user, 503 while user-service or
/// the database does not answer.
#[utoipa::path(post, path = "/orders", request_body = PlaceOrder,
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[ -~]*[!-~][ -~]*$",
        description = "Names this request, so that repeating it places no second order: 1 to 255 printable ASCII characters")),
    responses(
        ToChanges,
        (status = 202, body = Accepted, headers(("Location" = String, description = "Where the order can be read"))),
        (status = 400, description = "invalid-request", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "idempotency-conflict", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "user-not-found", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "upstream-unavailable, storage-unavailable, overloaded", body = Problem, content_type = "application/problem+json"),
))]
pub async fn place_order(
    State(state): State<AppState>,
    headers: HeaderMap,
    Json(request): Json<PlaceOrder>,
) -> Result<Response, OrderError> {
    let key = idempotency_key(&headers)?;
    // PostgreSQL keeps microseconds, so that what is published is what is stored.
    let placed_at = Utc::now().trunc_subsecs(6);
    let order = domain::place_order(request, key, placed_at).map_err(OrderError::Invalid)?;
    Scope::identify((subject::USER_ID, &order.user_id.to_string()), None);

    match state.users.find(order.user_id).await {
        Ok(Some(user)) => Scope::identify(
            (subject::USER_ID, &user.id.to_string()),
            [(subject::USER_TIER, user.tier.as_str())],
        ),
        Ok(None) => return Err(OrderError::UserNotFound),
        Err(error) => return replay_without_users(&state, &order, OrderError::Users(error)).await,
    }
    match state.orders.place(&order).await? {
        Placed::New { total_cents } => {
            state.metrics.order_accepted();
            Ok(accepted(order.id, total_cents))
        }
        Placed::KeyTaken(earlier) => replay(&earlier, &order),
    }
}

/// A replay does not check the user again, so it succeeds even while user-service is down.
async fn replay_without_users(
    state: &AppState,
    order: &NewOrder,
    error: OrderError,
) -> Result<Response, OrderError> {
    let Some(key) = &order.idempotency_key else { return Err(error) };
    match state.orders.find_by_key(key).await {
        Ok(Some(earlier)) => replay(&earlier, order),
        Ok(None) | Err(_) => Err(error),
    }
}

fn replay(earlier: &Earlier, order: &NewOrder) -> Result<Response, OrderError> {
    if earlier.is_same_request(order) {
        Ok(accepted(earlier.id, earlier.total_cents))
    } else {
        Err(OrderError::IdempotencyConflict)
    }
}

fn accepted(id: Uuid, total_cents: i64) -> Response {
    let body = Accepted { id, status: OrderStatus::Pending, total_cents };
    (StatusCode::ACCEPTED, [(LOCATION, format!("/orders/{id}"))], Answer(body)).into_response()
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, OrderError> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    match (IdempotencyKey::parse(value.as_bytes()), values.next()) {
        (Some(key), None) => Ok(Some(key)),
        _ => Err(OrderError::invalid("Idempotency-Key", IdempotencyKey::EXPECTED)),
    }
}
