//! `POST /orders`: checks the order, answers a repetition as the first time, asks user-service for the user, stores order and
//! outbox entry, answers 202.

use axum::{
    Json as Answer,
    extract::State,
    response::{IntoResponse, Response},
};
use chassis_core::Fields;
use chassis_faults::scope::Scope;
use chassis_http::{
    Json,
    openapi::{Problem, ToChanges},
};
use chrono::{SubsecRound, Utc};
use contracts::{
    orders::{Accepted, OrderStatus, PlaceOrder},
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
    // Twice: the look at the user can be struck by a fault already, and only its answer says the tier.
    Scope::identify((subject::USER_ID, &order.user_id.to_string()), None);

    if let Some(key) = &order.idempotency_key
        && let Some(earlier) = state.orders.find_by_key(key).await?
    {
        return replay(&earlier, &order);
    }
    let user = state.users.find(order.user_id).await.map_err(OrderError::Users)?;
    let user = user.ok_or(OrderError::UserNotFound)?;
    let tier = (subject::USER_TIER, user.tier.as_str());
    Scope::identify((subject::USER_ID, &user.id.to_string()), [tier]);

    match state.orders.place(&order).await? {
        Placed::New { total_cents } => {
            state.metrics.order_accepted();
            Ok(accepted(order.id, total_cents))
        }
        // The same request twice at once: neither found the other, and one of them was first.
        Placed::KeyTaken(earlier) => replay(&earlier, &order),
    }
}

/// The answer to a request whose key belongs to an order already: that of the first time, if it is the same request. It needs no
/// second look at the user.
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
        _ => Err(Fields::one("Idempotency-Key", IdempotencyKey::EXPECTED).into()),
    }
}
