//! The payment simulation. Deterministic: the same order is always decided the same way, in every run and every replica.
//!
//! About 2 % of orders are declined, depending on their id (`insufficient-funds`), and every order above [`LIMIT_CENTS`]
//! (`over-limit`), so that you can cause a decline on purpose.

use chrono::{DateTime, Utc};
use contracts::orders::{EVENT_VERSION, OrderPlaced, OrderSettled, OrderStatus};
use uuid::Uuid;

/// The largest amount that is paid, in cents: a million dollars.
pub const LIMIT_CENTS: i64 = 100_000_000;

/// One order in this many is declined. The low bits of a UUIDv7 are random, so the remainder is even.
const DECLINED_ONE_IN: u128 = 50;

/// Why a payment was declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Decline {
    /// By the order's id: about 2 %.
    InsufficientFunds,
    /// The amount is above [`LIMIT_CENTS`].
    OverLimit,
}

impl Decline {
    /// As stored and published.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// How a payment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum PaymentStatus {
    /// Taken.
    Completed,
    /// Not taken.
    Declined,
}

impl PaymentStatus {
    /// As stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The order's resulting status.
    #[must_use]
    pub const fn outcome(self) -> OrderStatus {
        match self {
            Self::Completed => OrderStatus::Completed,
            Self::Declined => OrderStatus::Rejected,
        }
    }
}

/// The payment of one order: decided once, never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Also the id of the outcome event.
    pub id: Uuid,
    /// The order.
    pub order_id: Uuid,
    /// Who pays.
    pub user_id: Uuid,
    /// The order's total as it was published.
    pub amount_cents: i64,
    /// How it ended.
    pub status: PaymentStatus,
    /// Why it was declined.
    pub reason: Option<String>,
    /// When it was decided.
    pub decided_at: DateTime<Utc>,
}

impl Payment {
    /// The event that tells order-api; the same for the same payment.
    #[must_use]
    pub fn outcome(&self) -> OrderSettled {
        OrderSettled {
            version: EVENT_VERSION,
            event_id: self.id,
            order_id: self.order_id,
            status: self.status.outcome(),
            reason: self.reason.clone(),
            settled_at: self.decided_at,
        }
    }
}

/// Decides the payment of an order.
#[must_use]
pub fn decide(order: &OrderPlaced, decided_at: DateTime<Utc>) -> Payment {
    let decline = decline(order.order_id, order.total_cents);
    Payment {
        id: Uuid::now_v7(),
        order_id: order.order_id,
        user_id: order.user_id,
        amount_cents: order.total_cents,
        status: if decline.is_some() { PaymentStatus::Declined } else { PaymentStatus::Completed },
        reason: decline.map(|decline| decline.as_str().to_owned()),
        decided_at,
    }
}

const fn decline(order_id: Uuid, amount_cents: i64) -> Option<Decline> {
    if amount_cents > LIMIT_CENTS {
        Some(Decline::OverLimit)
    } else if order_id.as_u128().is_multiple_of(DECLINED_ONE_IN) {
        Some(Decline::InsufficientFunds)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_two_in_a_hundred_orders_are_declined() {
        let declined = (0..20_000).filter(|_| decline(Uuid::now_v7(), 100).is_some()).count();
        // 400 expected; the bounds are five standard deviations wide.
        assert!((300..=500).contains(&declined), "{declined} of 20000");
    }

    #[test]
    fn an_amount_over_the_limit_is_always_declined() {
        assert_eq!(decline(Uuid::from_u128(1), LIMIT_CENTS), None);
        assert_eq!(decline(Uuid::from_u128(1), LIMIT_CENTS + 1), Some(Decline::OverLimit));
    }

    #[test]
    fn an_order_is_decided_the_same_way_every_time() {
        let id = Uuid::now_v7();
        assert_eq!(decline(id, 5), decline(id, 5));
        assert_eq!(decline(Uuid::from_u128(100), 5), Some(Decline::InsufficientFunds));
    }
}
