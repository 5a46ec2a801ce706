//! Storing an order, once per idempotency key.

use chassis::{
    db::{DbError, QueryType},
    telemetry::traces,
};
use contracts::{
    orders::{EVENT_VERSION, Item, OrderPlaced},
    topics,
};
use sqlx::types::Json;
use uuid::Uuid;

use super::OrderStore;
use crate::domain::{Earlier, IdempotencyKey, NewOrder};

/// Inserts the order and, if that was new, its outbox entry. A concurrent request with the same key makes this one wait
/// for its commit and then insert nothing.
const PLACE: &str = "
WITH placed AS (
    INSERT INTO orders (id, user_id, items, total_cents, idempotency_key, created_at)
    VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
    RETURNING id
)
INSERT INTO outbox (id, topic, key, payload, headers)
SELECT id, $7, $8, $9, $10 FROM placed";

const BY_KEY: &str = "SELECT id, user_id, items, total_cents FROM orders WHERE idempotency_key = $1";

/// What became of placing an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// It is stored and will be published.
    New {
        /// The total as it was stored.
        total_cents: i64,
    },
    /// Its key belongs to an earlier order; nothing was stored.
    KeyTaken(Earlier),
}

impl OrderStore {
    /// Stores an order together with its outbox entry.
    ///
    /// # Errors
    /// [`DbError`]; when the connection broke, whether the order was stored is unknown.
    pub async fn place(&self, order: &NewOrder) -> Result<Placed, DbError> {
        let total_cents = self.total_to_store(order.total_cents);
        let payload = payload(order, total_cents)?;
        let mut query = self.database.query(QueryType::Insert, "place_order").await?;
        let inserted = sqlx::query(PLACE)
            .bind(order.id)
            .bind(order.user_id)
            .bind(Json(&order.items))
            .bind(total_cents)
            .bind(order.idempotency_key.as_ref().map(IdempotencyKey::as_str))
            .bind(order.placed_at)
            .bind(topics::ORDERS)
            .bind(order.id.to_string())
            .bind(payload)
            .bind(Json(traces::inject()))
            .execute(&mut *query)
            .await?
            .rows_affected();
        drop(query);
        if inserted > 0 {
            self.outbox.wake();
            return Ok(Placed::New { total_cents });
        }
        match &order.idempotency_key {
            Some(key) => match self.find_by_key(key).await? {
                Some(earlier) => Ok(Placed::KeyTaken(earlier)),
                None => Err(DbError::Conflict(sqlx::Error::RowNotFound)),
            },
            None => Err(DbError::Other(sqlx::Error::RowNotFound)),
        }
    }

    /// The order that a key belongs to.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn find_by_key(&self, key: &IdempotencyKey) -> Result<Option<Earlier>, DbError> {
        let mut query = self.database.query(QueryType::Select, "find_order_by_key").await?;
        let row: Option<(Uuid, Uuid, Json<Vec<Item>>, i64)> =
            sqlx::query_as(BY_KEY).bind(key.as_str()).fetch_optional(&mut *query).await?;
        Ok(row.map(|(id, user_id, items, total_cents)| Earlier { id, user_id, items: items.0, total_cents }))
    }

    /// The boundary at which `wrong-total` strikes: what is stored and published is off, and nothing else tells.
    fn total_to_store(&self, total_cents: i64) -> i64 {
        self.wrong_total.strike().map_or(total_cents, |strike| {
            let cents = i64::try_from(strike.count("cents")).unwrap_or(i64::MAX);
            total_cents.saturating_add(cents)
        })
    }
}

fn payload(order: &NewOrder, total_cents: i64) -> Result<Vec<u8>, DbError> {
    let event = OrderPlaced {
        version: EVENT_VERSION,
        event_id: order.id,
        order_id: order.id,
        user_id: order.user_id,
        items: order.items.clone(),
        total_cents,
        placed_at: order.placed_at,
    };
    serde_json::to_vec(&event).map_err(|error| DbError::Other(sqlx::Error::Encode(error.into())))
}
