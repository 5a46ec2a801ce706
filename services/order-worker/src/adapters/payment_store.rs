//! Payments in PostgreSQL: inbox, payment and outcome event in one transaction, so an order is paid once and its outcome
//! leaves at least once.

use chassis::{
    db::{Connection, Database, DbError},
    inbox,
    outbox::Outbox,
};
use chrono::{DateTime, Utc};
use contracts::topics;
use uuid::Uuid;

use crate::domain::{Payment, PaymentStatus};

const INSERT: &str = "
INSERT INTO payments (id, order_id, user_id, amount_cents, status, reason, decided_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (order_id) DO NOTHING";

const BY_ORDER: &str = "
SELECT id, order_id, user_id, amount_cents, status, reason, decided_at FROM payments WHERE order_id = $1";

/// `payments`, the inbox and the outbox. Cheap to clone.
#[derive(Clone)]
pub struct PaymentStore {
    database: Database,
    outbox: Outbox,
}

/// What became of a payment.
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
    pub const fn new(database: Database, outbox: Outbox) -> Self {
        Self { database, outbox }
    }

    /// Stores `payment`, the answer to `event_id`, and stages its outcome. When the order was handled before, nothing
    /// changes but that the outcome of that time is staged again: the broker may have lost it.
    ///
    /// # Errors
    /// [`DbError`]; nothing happened then, unless the connection broke during the commit.
    pub async fn pay(&self, event_id: Uuid, payment: &Payment) -> Result<Paid, DbError> {
        let mut tx = self.database.transaction("pay_order").await?;
        let new = inbox::record(&mut tx, topics::GROUP_ORDER_WORKER, event_id).await?;
        let paid = if new && insert(&mut tx, payment).await? {
            self.stage(&mut tx, payment).await?;
            Paid::Now
        } else {
            let earlier = by_order(&mut tx, payment.order_id).await?;
            self.stage(&mut tx, &earlier).await?;
            Paid::Before
        };
        tx.commit().await?;
        self.outbox.wake();
        Ok(paid)
    }

    async fn stage(&self, conn: &mut Connection, payment: &Payment) -> Result<(), DbError> {
        let event = serde_json::to_vec(&payment.outcome())
            .map_err(|error| DbError::Other(sqlx::Error::Encode(error.into())))?;
        let key = payment.order_id.to_string();
        self.outbox.stage(conn, payment.id, topics::ORDER_OUTCOMES, &key, &event).await
    }
}

/// `false` when the order has a payment already.
async fn insert(conn: &mut Connection, payment: &Payment) -> Result<bool, DbError> {
    let done = sqlx::query(INSERT)
        .bind(payment.id)
        .bind(payment.order_id)
        .bind(payment.user_id)
        .bind(payment.amount_cents)
        .bind(payment.status.as_str())
        .bind(payment.reason.as_deref())
        .bind(payment.decided_at)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}

async fn by_order(conn: &mut Connection, order_id: Uuid) -> Result<Payment, DbError> {
    let row: PaymentRow = sqlx::query_as(BY_ORDER).bind(order_id).fetch_one(conn).await?;
    Ok(Payment::try_from(row)?)
}

#[derive(sqlx::FromRow)]
struct PaymentRow {
    id: Uuid,
    order_id: Uuid,
    user_id: Uuid,
    amount_cents: i64,
    status: String,
    reason: Option<String>,
    decided_at: DateTime<Utc>,
}

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
