//! The way back: outcomes from the topic `order-outcomes` are applied to the orders, each once.
//!
//! Applying is idempotent (only a pending order changes), so a redelivered outcome is ignored. One that differs from the
//! applied outcome is not: one of the two is wrong, so it is counted and kept as a dead letter.

use async_trait::async_trait;
use chassis_kafka::{Handler, InMessage, Verdict};
use chassis_outbox::{REFUSED_BY_DATABASE, verdict};
use chrono::Utc;
use contracts::orders::{OrderSettled, OrderStatus, decode};

use crate::{
    adapters::{OrderStore, Settled},
    domain::{Freshness, is_past},
    metrics::OrderApiMetrics,
};

/// Reasons for giving up on messages.
pub const REASONS: &[&str] = &[
    "malformed",
    "truncated",
    "unknown-version",
    INVALID,
    IMPLAUSIBLE,
    UNKNOWN_ORDER,
    CONTRADICTION,
    REFUSED_BY_DATABASE,
];
const INVALID: &str = "invalid";
const IMPLAUSIBLE: &str = "implausible-time";
const UNKNOWN_ORDER: &str = "unknown-order";
const CONTRADICTION: &str = "contradiction";

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

    /// The verdict for the store's result.
    fn settled(&self, event: &OrderSettled, settled: Settled) -> Verdict {
        let (id, status, at) = (event.order_id, event.status.as_str(), event.settled_at);
        match settled {
            Settled::Now { after, judged_late } => {
                self.metrics.order_settled(event.status, after);
                if !judged_late {
                    self.metrics.order_judged(Freshness::of(after));
                }
                self.metrics.outcome_is_consistent();
                Verdict::Done
            }
            Settled::Before => {
                self.metrics.outcome_is_consistent();
                Verdict::Done
            }
            Settled::Otherwise { stored } => {
                self.metrics.outcome_contradicts();
                give_up(CONTRADICTION, format!("order {id} is {stored}, the outcome says {status} at {at}"))
            }
            Settled::TooEarly => give_up(
                IMPLAUSIBLE,
                format!("order {id} was accepted after the outcome was decided, at {at}"),
            ),
            Settled::Unknown => give_up(UNKNOWN_ORDER, format!("there is no order {id}")),
        }
    }
}

#[async_trait]
impl Handler for Outcomes {
    async fn handle(&self, message: &InMessage) -> Verdict {
        let event: OrderSettled = match decode(&message.payload) {
            Ok(event) => event,
            Err(error) => return give_up(error.reason(), error.to_string()),
        };
        if event.status == OrderStatus::Pending {
            return give_up(INVALID, format!("order {} cannot be settled as pending", event.order_id));
        }
        if !is_past(event.settled_at, Utc::now()) {
            let cause =
                format!("the outcome of order {} is of the future: {}", event.order_id, event.settled_at);
            return give_up(IMPLAUSIBLE, cause);
        }
        match self.orders.settle(&event).await {
            Ok(settled) => self.settled(&event, settled),
            Err(error) => verdict(&error),
        }
    }
}

fn give_up(reason: &'static str, cause: String) -> Verdict {
    Verdict::DeadLetter { reason, cause: cause.into() }
}
