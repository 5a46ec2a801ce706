//! Payments in PostgreSQL: inbox, payment and outcome event in one transaction, so an order is paid once and its outcome
//! leaves at least once. The three are one statement, for one round trip; what it does to inbox and outbox is their own SQL.
//! Under load, the messages of several partitions share it ([`chassis_postgres::Group`]).

use std::collections::HashSet;

use async_trait::async_trait;
use chassis_outbox::{Outbox, OutboxEntry};
use chassis_postgres::{Connection, Database, DbError, Group, GroupWork, QueryType};
use chrono::{DateTime, Utc};
use contracts::topics;
use sqlx::Postgres;
use uuid::Uuid;

use crate::domain::{Payment, PaymentStatus};

/// Records the events, stores the payments of those that are new and of orders that have none yet, and stages their outcomes;
/// returns the payments that were stored. Of two orders with one event id, in one statement as in two, the first one has it.
///
/// While another transaction handles one of the events or orders, this waits until that one has ended.
const PAY: &str = concat!(
    "WITH new AS (",
    chassis_outbox::record!("$6", "$7"),
    "), input AS (
        SELECT DISTINCT ON (event_id) *
        FROM unnest($7::uuid[], $8::uuid[], $9::uuid[], $10::uuid[], $11::bigint[], $12::text[], $13::text[],
                    $14::timestamptz[])
            WITH ORDINALITY
            AS input (event_id, id, order_id, user_id, amount_cents, status, reason, decided_at, nth)
        ORDER BY event_id, nth
    ), stored AS (
        INSERT INTO payments (id, order_id, user_id, amount_cents, status, reason, decided_at)
        SELECT id, order_id, user_id, amount_cents, status, reason, decided_at
        FROM input WHERE event_id IN (SELECT event_id FROM new) ORDER BY nth
        ON CONFLICT (order_id) DO NOTHING
        RETURNING id
    ), staged AS (",
    chassis_outbox::stage!("WHERE id IN (SELECT id FROM stored)"),
    ") SELECT id FROM stored"
);

const BY_ORDER: &str = "
SELECT id, order_id, user_id, amount_cents, status, reason, decided_at FROM payments WHERE order_id = $1";

/// `payments`, the inbox and the outbox. Cheap to clone.
#[derive(Clone)]
pub struct PaymentStore {
    database: Database,
    outbox: Outbox,
    paying: Group<Pay>,
}

/// The result of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paid {
    /// It is stored.
    Now,
    /// The order was handled before; its outcome will be published again.
    Before,
}

impl PaymentStore {
    /// A store on this database, whose relay is `outbox`.
    #[must_use]
    pub fn new(database: Database, outbox: Outbox) -> Self {
        Self { paying: Group::new(database.clone(), Pay), database, outbox }
    }

    /// Stores `payment`, the response to `event_id`, and stages its outcome. If the order was handled before, nothing changes,
    /// except that its old outcome is staged again: the broker may have lost it.
    ///
    /// # Errors
    /// [`DbError`]; then nothing happened, unless the connection broke during the commit. [`DbError::Data`] if the event was
    /// handled before, but for a different order.
    pub async fn pay(&self, event_id: Uuid, payment: &Payment) -> Result<Paid, DbError> {
        let job = Job { event_id, payment: payment.clone(), outcome: outcome(payment)? };
        let paid =
            if self.paying.run(job).await? { Paid::Now } else { self.answer_again(payment.order_id).await? };
        self.outbox.wake();
        Ok(paid)
    }

    async fn answer_again(&self, order_id: Uuid) -> Result<Paid, DbError> {
        let mut tx = self.database.transaction("answer_again").await?;
        let earlier = by_order(&mut tx, order_id).await?;
        self.outbox.stage(&mut tx, &[&outcome(&earlier)?]).await?;
        tx.commit().await?;
        Ok(Paid::Before)
    }
}

fn outcome(payment: &Payment) -> Result<OutboxEntry, DbError> {
    let event = serde_json::to_vec(&payment.outcome()).map_err(|error| sqlx::Error::Encode(error.into()))?;
    Ok(OutboxEntry::new(payment.id, topics::ORDER_OUTCOMES, payment.order_id.to_string(), event))
}

/// Paying as work that messages share.
struct Pay;

/// One payment to store.
struct Job {
    event_id: Uuid,
    payment: Payment,
    outcome: OutboxEntry,
}

#[async_trait]
impl GroupWork for Pay {
    type Job = Job;
    /// Whether the payment was stored; otherwise its order was handled before.
    type Done = bool;

    const KIND: QueryType = QueryType::Transaction;
    const OPERATION: &'static str = "pay_order";

    async fn run(&self, database: &Database, jobs: &[Job]) -> Result<Vec<bool>, DbError> {
        let mut tx = database.transaction(Self::OPERATION).await?;
        tx.shared_by(jobs.len());
        let stored = pay(&mut tx, jobs).await?;
        tx.commit().await?;
        Ok(jobs.iter().map(|job| stored.contains(&job.payment.id)).collect())
    }
}

/// The ids of the payments that were stored.
async fn pay(conn: &mut Connection, jobs: &[Job]) -> Result<HashSet<Uuid>, DbError> {
    let payments = || jobs.iter().map(|job| &job.payment);
    let entries = chassis_outbox::entries(jobs.iter().map(|job| &job.outcome))?;
    let stored = sqlx::query_scalar_with::<Postgres, _, _>(PAY, entries)
        .bind(topics::GROUP_ORDER_WORKER)
        .bind(jobs.iter().map(|job| job.event_id).collect::<Vec<_>>())
        .bind(payments().map(|payment| payment.id).collect::<Vec<_>>())
        .bind(payments().map(|payment| payment.order_id).collect::<Vec<_>>())
        .bind(payments().map(|payment| payment.user_id).collect::<Vec<_>>())
        .bind(payments().map(|payment| payment.amount_cents).collect::<Vec<_>>())
        .bind(payments().map(|payment| payment.status.as_str()).collect::<Vec<_>>())
        .bind(payments().map(|payment| payment.reason.as_deref()).collect::<Vec<_>>())
        .bind(payments().map(|payment| payment.decided_at).collect::<Vec<_>>())
        .fetch_all(conn)
        .await?;
    Ok(stored.into_iter().collect())
}

async fn by_order(conn: &mut Connection, order_id: Uuid) -> Result<Payment, DbError> {
    let row: PaymentRow = sqlx::query_as(BY_ORDER).bind(order_id).fetch_one(conn).await?;
    Ok(Payment::try_from(row)?)
}

struct PaymentRow {
    id: Uuid,
    order_id: Uuid,
    user_id: Uuid,
    amount_cents: i64,
    status: String,
    reason: Option<String>,
    decided_at: DateTime<Utc>,
}

chassis_postgres::from_row!(PaymentRow { id, order_id, user_id, amount_cents, status, reason, decided_at });

impl TryFrom<PaymentRow> for Payment {
    type Error = sqlx::Error;

    fn try_from(row: PaymentRow) -> Result<Self, sqlx::Error> {
        let status = match row.status.as_str() {
            "completed" => PaymentStatus::Completed,
            "declined" => PaymentStatus::Declined,
            other => return Err(sqlx::Error::Decode(format!("unknown payment status `{other}`").into())),
        };
        Ok(Self {
            id: row.id,
            order_id: row.order_id,
            user_id: row.user_id,
            amount_cents: row.amount_cents,
            status,
            reason: row.reason,
            decided_at: row.decided_at,
        })
    }
}
