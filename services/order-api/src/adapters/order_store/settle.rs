//! Applying an outcome to an order, once.

use std::time::Duration;

use chassis::db::{DbError, QueryType};
use chrono::{DateTime, Utc};
use contracts::orders::OrderSettled;

use super::OrderStore;

/// Changes the order if it is pending, and retires its outbox entry in any case: an order that is settled needs no
/// publishing, also when this outcome is a repetition.
const SETTLE: &str = "
WITH settled AS (
    UPDATE orders SET status = $2, reason = $3, settled_at = $4
    WHERE id = $1 AND status = 'pending'
    RETURNING id
), retired AS (
    DELETE FROM outbox WHERE id = $1
)
SELECT created_at, EXISTS (SELECT 1 FROM settled) FROM orders WHERE id = $1";

/// What became of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Applied.
    Now {
        /// Time since the order was accepted.
        after: Duration,
    },
    /// The order was settled before; nothing changed.
    Before,
    /// There is no such order.
    Unknown,
}

impl OrderStore {
    /// Applies an outcome. Idempotent: only a pending order changes.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn settle(&self, event: &OrderSettled) -> Result<Settled, DbError> {
        let mut query = self.database.query(QueryType::Update, "settle_order").await?;
        let row: Option<(DateTime<Utc>, bool)> = sqlx::query_as(SETTLE)
            .bind(event.order_id)
            .bind(event.status.as_str())
            .bind(event.reason.as_deref())
            .bind(event.settled_at)
            .fetch_optional(&mut *query)
            .await?;
        Ok(match row {
            None => Settled::Unknown,
            Some((_, false)) => Settled::Before,
            // A clock that was set back makes the difference negative; no time has passed then.
            Some((created_at, true)) => {
                Settled::Now { after: (Utc::now() - created_at).to_std().unwrap_or_default() }
            }
        })
    }
}
