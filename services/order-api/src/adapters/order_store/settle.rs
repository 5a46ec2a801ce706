//! Applying an outcome to an order, once.

use std::{collections::HashMap, mem, time::Duration};

use async_trait::async_trait;
use chassis::db::{Database, DbError, GroupWork, QueryType};
use chrono::{DateTime, Utc};
use contracts::orders::OrderSettled;
use uuid::Uuid;

use super::OrderStore;

/// Changes the orders that are pending, and retires the outbox entries in any case: an order that is settled needs no
/// publishing, also when this outcome is a repetition. Returns the orders that exist, which of them changed, and which were
/// marked as late: a DELETE waits for a mark that is being set, and returns it.
const SETTLE: &str = "
WITH settled AS (
    UPDATE orders SET status = input.status, reason = input.reason, settled_at = input.settled_at
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) AS input (id, status, reason, settled_at)
    WHERE orders.id = input.id AND orders.id = ANY($1) AND orders.status = 'pending'
    RETURNING orders.id
), retired AS (
    DELETE FROM outbox WHERE id = ANY($1) RETURNING id, late
)
SELECT id, created_at, EXISTS (SELECT 1 FROM settled WHERE settled.id = orders.id),
    EXISTS (SELECT 1 FROM retired WHERE retired.id = orders.id AND late)
FROM orders WHERE id = ANY($1)";

/// Marks the entries of orders that have been pending for too long. What another transaction holds is left for the next
/// time: the relay publishes while it holds its batch.
const MARK_LATE: &str = "
UPDATE outbox SET late = true WHERE id IN (
    SELECT id FROM outbox WHERE NOT late AND created_at <= $1 FOR UPDATE SKIP LOCKED
)";

/// What became of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Applied.
    Now {
        /// Time since the order was accepted.
        after: Duration,
        /// It was counted as late before.
        judged_late: bool,
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
        self.settling.run(event.clone()).await
    }

    /// Marks the orders as late that were accepted before `deadline` and are still pending; how many were not marked yet.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn mark_late(&self, deadline: DateTime<Utc>) -> Result<u64, DbError> {
        let mut query = self.database.background_query().await?;
        Ok(sqlx::query(MARK_LATE).bind(deadline).execute(&mut *query).await?.rows_affected())
    }
}

/// Settling as work that outcomes share.
pub(super) struct Settle;

#[async_trait]
impl GroupWork for Settle {
    type Job = OrderSettled;
    type Done = Settled;

    const KIND: QueryType = QueryType::Update;
    const OPERATION: &'static str = "settle_order";

    async fn run(&self, database: &Database, events: &[OrderSettled]) -> Result<Vec<Settled>, DbError> {
        let mut query = database.query(Self::KIND, Self::OPERATION).await?;
        query.shared_by(events.len());
        let rows: Vec<(Uuid, DateTime<Utc>, bool, bool)> = sqlx::query_as(SETTLE)
            .bind(events.iter().map(|event| event.order_id).collect::<Vec<_>>())
            .bind(events.iter().map(|event| event.status.as_str()).collect::<Vec<_>>())
            .bind(events.iter().map(|event| event.reason.as_deref()).collect::<Vec<_>>())
            .bind(events.iter().map(|event| event.settled_at).collect::<Vec<_>>())
            .fetch_all(&mut *query)
            .await?;
        drop(query);
        let now = Utc::now();
        let mut found: HashMap<Uuid, Settled> = rows
            .into_iter()
            .map(|(id, created_at, changed, judged_late)| {
                // A clock that was set back makes the difference negative; no time has passed then.
                let after = (now - created_at).to_std().unwrap_or_default();
                (id, if changed { Settled::Now { after, judged_late } } else { Settled::Before })
            })
            .collect();
        // Of two outcomes of one order, the first settled it.
        let answer = |event: &OrderSettled| match found.get_mut(&event.order_id) {
            Some(settled) => mem::replace(settled, Settled::Before),
            None => Settled::Unknown,
        };
        Ok(events.iter().map(answer).collect())
    }
}
