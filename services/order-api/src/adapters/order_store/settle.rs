//! Applies an outcome to an order, once, and compares every further one with the stored outcome.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use async_trait::async_trait;
use chassis_postgres::{Connection, Database, DbError, GroupWork, QueryType};
use chrono::{DateTime, SubsecRound as _, Utc};
use contracts::orders::OrderSettled;
use sqlx::postgres::types::PgInterval;
use uuid::Uuid;

use super::OrderStore;
use crate::domain::{CLOCK_SKEW, is_after};

/// Changes the orders that are pending, by outcomes that can be about them ([`is_after`]), and retires the outbox entries of
/// all that are settled now or were before: such an order needs no publishing. Returns the orders that exist as they are
/// afterwards, which of them changed, and which of those were marked as late: the UPDATE waits for a mark that is being set, and
/// returns it.
const SETTLE: &str = concat!(
    "WITH settled AS (
        UPDATE orders SET status = input.status, reason = input.reason, settled_at = input.settled_at
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) AS input (id, status, reason, settled_at)
        WHERE orders.id = input.id AND orders.id = ANY($1) AND orders.status = 'pending'
          AND input.settled_at >= orders.created_at - $5
        RETURNING orders.id, orders.status, orders.reason, orders.settled_at, orders.late
    ), retired AS (",
    chassis_outbox::retire!(
        "id = ANY($1)
          AND (id IN (SELECT id FROM settled)
               OR id IN (SELECT id FROM orders WHERE id = ANY($1) AND status <> 'pending'))"
    ),
    ") SELECT orders.id, orders.created_at, settled.id IS NOT NULL AS changed, coalesce(settled.late, false) AS judged_late,
        CASE WHEN settled.id IS NULL THEN orders.status ELSE settled.status END AS status,
        CASE WHEN settled.id IS NULL THEN orders.reason ELSE settled.reason END AS reason,
        CASE WHEN settled.id IS NULL THEN orders.settled_at ELSE settled.settled_at END AS settled_at
    FROM orders LEFT JOIN settled ON settled.id = orders.id WHERE orders.id = ANY($1)"
);

/// The stored state of these orders.
const STORED: &str = "SELECT id, status, reason, settled_at FROM orders WHERE id = ANY($1)";

/// Marks the orders that have been pending for too long: their entries wait in the outbox, which is quicker to look through
/// than orders are. What another transaction holds is left for the next time: it is being settled, or marked by another replica.
const MARK_LATE: &str = concat!(
    "UPDATE orders SET late = true WHERE id IN (
        SELECT id FROM orders WHERE status = 'pending' AND NOT late AND id IN (",
    chassis_outbox::staged_by!("$1"),
    ") FOR UPDATE SKIP LOCKED)"
);

/// The result of an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// Applied.
    Now {
        /// Time since the order was accepted.
        after: Duration,
        /// It was counted as late before.
        judged_late: bool,
    },
    /// The order was settled before, by the same outcome; nothing changed.
    Before,
    /// The order was settled before, by a different outcome; nothing changed.
    Otherwise {
        /// The stored outcome, and when it was decided.
        stored: String,
    },
    /// It was decided before the order was accepted, so it belongs to a different order; nothing changed.
    TooEarly,
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

    /// Marks the orders as late that were accepted before `deadline` and are still pending; returns how many are newly marked.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn mark_late(&self, deadline: DateTime<Utc>) -> Result<u64, DbError> {
        let mut query = self.database.background_query().await?;
        Ok(sqlx::query(MARK_LATE).bind(deadline).execute(&mut query).await?.rows_affected())
    }
}

/// Settling, as work that outcomes share.
pub(super) struct Settle;

/// An order after the statement.
struct Row {
    id: Uuid,
    created_at: DateTime<Utc>,
    changed: bool,
    judged_late: bool,
    stored: Stored,
}

chassis_postgres::from_row!(Row { id, created_at, changed, judged_late; stored });

/// What an order says of its outcome.
struct Stored {
    status: String,
    reason: Option<String>,
    /// `None` while it is pending.
    settled_at: Option<DateTime<Utc>>,
}

chassis_postgres::from_row!(Stored { status, reason, settled_at });

/// The same, read a second time.
struct StoredNow {
    id: Uuid,
    stored: Stored,
}

chassis_postgres::from_row!(StoredNow { id; stored });

#[async_trait]
impl GroupWork for Settle {
    type Job = OrderSettled;
    type Done = Settled;

    const KIND: QueryType = QueryType::Update;
    const OPERATION: &'static str = "settle_order";

    async fn run(&self, database: &Database, events: &[OrderSettled]) -> Result<Vec<Settled>, DbError> {
        let mut query = database.query(Self::KIND, Self::OPERATION).await?;
        query.shared_by(events.len());
        let rows: Vec<Row> = sqlx::query_as(SETTLE)
            .bind(events.iter().map(|event| event.order_id).collect::<Vec<_>>())
            .bind(events.iter().map(|event| event.status.as_str()).collect::<Vec<_>>())
            .bind(events.iter().map(|event| event.reason.as_deref()).collect::<Vec<_>>())
            .bind(events.iter().map(|event| event.settled_at).collect::<Vec<_>>())
            .bind(PgInterval { months: 0, days: 0, microseconds: CLOCK_SKEW.as_micros() as i64 })
            .fetch_all(&mut query)
            .await?;
        let mut rows: HashMap<Uuid, Row> = rows.into_iter().map(|row| (row.id, row)).collect();
        look_again(&mut query, events, &mut rows).await?;
        drop(query);
        Ok(judge(events, &rows, Utc::now()))
    }
}

/// A timely outcome that left its order pending has met another one that was being applied at the same time: the statement
/// waited for it and then saw the order's old state. Reads the new state; an order that is still pending must be tried
/// again.
async fn look_again(
    conn: &mut Connection,
    events: &[OrderSettled],
    rows: &mut HashMap<Uuid, Row>,
) -> Result<(), DbError> {
    let overtaken = |event: &&OrderSettled| {
        let row = rows.get(&event.order_id);
        row.is_some_and(|row| row.stored.settled_at.is_none() && is_after(event.settled_at, row.created_at))
    };
    let ids: Vec<Uuid> = events.iter().filter(overtaken).map(|event| event.order_id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let now: Vec<StoredNow> = sqlx::query_as(STORED).bind(ids).fetch_all(conn).await?;
    for StoredNow { id, stored } in now {
        if stored.settled_at.is_none() {
            return Err(DbError::Conflict(sqlx::Error::RowNotFound.into()));
        }
        if let Some(row) = rows.get_mut(&id) {
            row.stored = stored;
        }
    }
    Ok(())
}

/// The result of each event. Of several for one order, the first one that matches the stored outcome was applied.
fn judge(events: &[OrderSettled], rows: &HashMap<Uuid, Row>, now: DateTime<Utc>) -> Vec<Settled> {
    let mut told = HashSet::new();
    events
        .iter()
        .map(|event| {
            let Some(row) = rows.get(&event.order_id) else { return Settled::Unknown };
            let Some(settled_at) = row.stored.settled_at else { return Settled::TooEarly };
            if !row.stored.agrees_with(event) {
                let stored = format!("{} at {settled_at}", row.stored.status);
                return Settled::Otherwise { stored };
            }
            if !row.changed || !told.insert(event.order_id) {
                return Settled::Before;
            }
            // A clock that was set back makes the difference negative; then no time has passed.
            let after = (now - row.created_at).to_std().unwrap_or_default();
            Settled::Now { after, judged_late: row.judged_late }
        })
        .collect()
}

impl Stored {
    /// Times are stored in microseconds.
    fn agrees_with(&self, event: &OrderSettled) -> bool {
        self.status == event.status.as_str()
            && self.reason == event.reason
            && self.settled_at == Some(event.settled_at.trunc_subsecs(6))
    }
}
