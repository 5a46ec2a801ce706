//! Stores an order, once per idempotency key.

use std::collections::HashSet;

use async_trait::async_trait;
use chassis_outbox::OutboxEntry;
use chassis_postgres::{Database, DbError, GroupWork, QueryType};
use contracts::{
    orders::{EVENT_VERSION, Item, OrderPlaced, Track},
    topics,
};
use sqlx::{Postgres, types::Json};
use uuid::Uuid;

use super::OrderStore;
use crate::domain::{Earlier, IdempotencyKey, NewOrder};

/// Inserts the orders and, of those that were new, the outbox entries; returns the new ones. A concurrent request with the
/// same key makes this one wait for its commit and then insert nothing.
const PLACE: &str = concat!(
    "WITH input AS (
        SELECT * FROM unnest($6::uuid[], $7::uuid[], $8::jsonb[], $9::bigint[], $10::text[], $11::timestamptz[])
            AS input (id, user_id, items, total_cents, idempotency_key, created_at)
    ), placed AS (
        INSERT INTO orders (id, user_id, items, total_cents, idempotency_key, created_at)
        SELECT id, user_id, items, total_cents, idempotency_key, created_at FROM input
        ON CONFLICT (idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
        RETURNING id
    ), staged AS (",
    chassis_outbox::stage!("WHERE id IN (SELECT id FROM placed)"),
    ") SELECT id FROM placed"
);

const BY_KEY: &str = "SELECT id, user_id, items, total_cents FROM orders WHERE idempotency_key = $1";

/// The result of placing an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// It is stored and will be published.
    New {
        /// The total as stored.
        total_cents: i64,
    },
    /// Its key went to another order at the same moment; nothing was stored.
    KeyTaken(Earlier),
}

impl OrderStore {
    /// Stores an order together with its outbox entry.
    ///
    /// # Errors
    /// [`DbError`]; if the connection broke, it is unknown whether the order was stored.
    pub async fn place(&self, order: &NewOrder) -> Result<Placed, DbError> {
        let total_cents = self.total_to_store(order.total_cents);
        let job = Job { entry: entry(order, total_cents, self.track)?, order: order.clone(), total_cents };
        if self.placing.run(job).await? {
            self.outbox.wake();
            return Ok(Placed::New { total_cents });
        }
        match &order.idempotency_key {
            Some(key) => match self.find_by_key(key).await? {
                Some(earlier) => Ok(Placed::KeyTaken(earlier)),
                None => Err(DbError::Conflict(sqlx::Error::RowNotFound.into())),
            },
            None => Err(sqlx::Error::RowNotFound.into()),
        }
    }

    /// The order that a key belongs to.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn find_by_key(&self, key: &IdempotencyKey) -> Result<Option<Earlier>, DbError> {
        let mut query = self.database.query(QueryType::Select, "find_order_by_key").await?;
        let row: Option<(Uuid, Uuid, Json<Vec<Item>>, i64)> =
            sqlx::query_as(BY_KEY).bind(key.as_str()).fetch_optional(&mut query).await?;
        Ok(row.map(|(id, user_id, items, total_cents)| Earlier { id, user_id, items: items.0, total_cents }))
    }

    /// The boundary at which `wrong-total` strikes: the stored and published total is wrong, without any other sign.
    fn total_to_store(&self, total_cents: i64) -> i64 {
        self.wrong_total.strike().map_or(total_cents, |strike| {
            let cents = i64::try_from(strike.params.cents).unwrap_or(i64::MAX);
            total_cents.saturating_add(cents)
        })
    }
}

/// Placing, as work that orders share.
pub(super) struct Place;

/// One order to store.
pub(super) struct Job {
    order: NewOrder,
    total_cents: i64,
    entry: OutboxEntry,
}

#[async_trait]
impl GroupWork for Place {
    type Job = Job;
    /// Whether the order was stored; otherwise its key belongs to an earlier one.
    type Done = bool;

    const KIND: QueryType = QueryType::Insert;
    const OPERATION: &'static str = "place_order";

    async fn run(&self, database: &Database, jobs: &[Job]) -> Result<Vec<bool>, DbError> {
        let column = |of: fn(&NewOrder) -> Uuid| jobs.iter().map(|job| of(&job.order)).collect::<Vec<_>>();
        let mut query = database.query(Self::KIND, Self::OPERATION).await?;
        query.shared_by(jobs.len());
        let keys = jobs.iter().map(|job| job.order.idempotency_key.as_ref().map(IdempotencyKey::as_str));
        let entries = chassis_outbox::entries(jobs.iter().map(|job| &job.entry))?;
        let new: HashSet<Uuid> = sqlx::query_scalar_with::<Postgres, _, _>(PLACE, entries)
            .bind(column(|order| order.id))
            .bind(column(|order| order.user_id))
            .bind(jobs.iter().map(|job| Json(&job.order.items)).collect::<Vec<_>>())
            .bind(jobs.iter().map(|job| job.total_cents).collect::<Vec<_>>())
            .bind(keys.collect::<Vec<_>>())
            .bind(jobs.iter().map(|job| job.order.placed_at).collect::<Vec<_>>())
            .fetch_all(&mut query)
            .await?
            .into_iter()
            .collect();
        Ok(jobs.iter().map(|job| new.contains(&job.order.id)).collect())
    }
}

/// The event that an order was accepted; it carries the order's id, and is its outbox entry until the order is settled.
fn entry(order: &NewOrder, total_cents: i64, track: Option<Track>) -> Result<OutboxEntry, DbError> {
    let event = OrderPlaced {
        version: EVENT_VERSION,
        event_id: order.id,
        order_id: order.id,
        user_id: order.user_id,
        items: order.items.clone(),
        total_cents,
        placed_at: order.placed_at,
        track,
    };
    let payload = serde_json::to_vec(&event).map_err(|error| sqlx::Error::Encode(error.into()))?;
    Ok(OutboxEntry::new(order.id, topics::ORDERS, order.id.to_string(), payload))
}
