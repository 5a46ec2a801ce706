//! The way back: outcomes of orders from topic `order-outcomes` are applied to the orders, each once.
//!
//! Applying is idempotent (only a pending order changes), so a redelivered outcome is counted and forgotten.

use std::time::Duration;

use async_trait::async_trait;
use chassis::{
    db::DbError,
    kafka::{Handler, InMessage, Verdict},
};
use contracts::orders::{OrderSettled, OrderStatus, decode};

use crate::{
    adapters::{OrderStore, Settled},
    metrics::OrderApiMetrics,
};

/// Pause before a message is tried again while the database is away.
const BLOCKED_FOR: Duration = Duration::from_millis(500);
/// Pause before a lost conflict is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(50);

/// What messages are given up for.
pub const REASONS: &[&str] = &["malformed", "truncated", "unknown-version", INVALID, UNKNOWN_ORDER];
const INVALID: &str = "invalid";
const UNKNOWN_ORDER: &str = "unknown-order";

/// Handler of the topic `order-outcomes`.
pub struct Outcomes {
    orders: OrderStore,
    metrics: OrderApiMetrics,
}

impl Outcomes {
    /// Applies outcomes to `orders`.
    #[must_use]
    pub const fn new(orders: OrderStore, metrics: OrderApiMetrics) -> Self {
        Self { orders, metrics }
    }
}

#[async_trait]
impl Handler for Outcomes {
    async fn handle(&self, message: &InMessage) -> Verdict {
        let event: OrderSettled = match decode(&message.payload) {
            Ok(event) => event,
            Err(error) => return Verdict::DeadLetter { reason: error.reason(), cause: error.to_string() },
        };
        if event.status == OrderStatus::Pending {
            let cause = format!("order {} cannot be settled as pending", event.order_id);
            return Verdict::DeadLetter { reason: INVALID, cause };
        }
        match self.orders.settle(&event).await {
            Ok(Settled::Now { after, judged_late }) => {
                self.metrics.order_settled(event.status, after, judged_late);
                Verdict::Done
            }
            Ok(Settled::Before) => Verdict::Done,
            Ok(Settled::Unknown) => {
                let cause = format!("there is no order {}", event.order_id);
                Verdict::DeadLetter { reason: UNKNOWN_ORDER, cause }
            }
            Err(error) => verdict(&error),
        }
    }
}

/// The one place where a database error becomes a decision about the message: what the message cannot help blocks the
/// partition until it works, because an outcome that is skipped leaves an order pending.
fn verdict(error: &DbError) -> Verdict {
    let cause = error.to_string();
    match error {
        DbError::Conflict(_) | DbError::Duplicate { .. } => Verdict::Retry { after: RETRY_AFTER, cause },
        DbError::PoolTimeout | DbError::Unavailable(_) | DbError::Other(_) => {
            Verdict::Blocked { after: BLOCKED_FOR, cause }
        }
    }
}
