//! A row of `orders`, converted to the contract's type.

use chrono::{DateTime, Utc};
use contracts::orders::{Item, Order, OrderStatus};
use sqlx::types::Json;
use uuid::Uuid;

/// A row of `orders`.
pub(super) struct OrderRow {
    id: Uuid,
    user_id: Uuid,
    items: Json<Vec<Item>>,
    total_cents: i64,
    status: String,
    created_at: DateTime<Utc>,
    settled_at: Option<DateTime<Utc>>,
}

chassis_postgres::from_row!(OrderRow { id, user_id, items, total_cents, status, created_at, settled_at });

impl TryFrom<OrderRow> for Order {
    type Error = sqlx::Error;

    fn try_from(row: OrderRow) -> Result<Self, sqlx::Error> {
        let status = match row.status.as_str() {
            "pending" => OrderStatus::Pending,
            "completed" => OrderStatus::Completed,
            "rejected" => OrderStatus::Rejected,
            other => return Err(sqlx::Error::Decode(format!("unknown order status `{other}`").into())),
        };
        Ok(Self {
            id: row.id,
            user_id: row.user_id,
            items: row.items.0,
            total_cents: row.total_cents,
            status,
            created_at: row.created_at,
            settled_at: row.settled_at,
        })
    }
}
