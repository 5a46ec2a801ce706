//! What order-api exports beyond the chassis: the business counters.

use std::time::Duration;

use chassis_telemetry::metrics::Histogram;
use contracts::orders::OrderStatus;
use prometheus::IntCounter;

use crate::domain::Freshness;

/// Buckets of the time from acceptance to settlement, in seconds.
const SETTLE_BUCKETS: &[f64] =
    &[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 300.0];

chassis_telemetry::metrics! {
    /// The business metrics. Cheap to clone.
    #[derive(Clone)]
    pub struct OrderApiMetrics {
        /// Orders accepted; replays of an idempotency key not counted.
        orders_accepted_total: IntCounter,
        /// Time from accepting an order to applying its outcome.
        order_settle_duration_seconds: Histogram(SETTLE_BUCKETS),
    }

    /// Orders whose outcome was applied, once each.
    orders_settled_total["status"] = {
        completed: OrderStatus::Completed.as_str(),
        rejected: OrderStatus::Rejected.as_str(),
    };

    /// Accepted orders, judged once each: fresh (settled within 5 s) or late.
    order_freshness_checked_total["result"] = { fresh: "fresh", late: "late" };

    /// Outcomes that found their order settled, now or before, by whether they say the same as it.
    order_outcomes_checked_total["result"] = { consistent: "consistent", contradiction: "contradiction" };
}

impl OrderApiMetrics {
    /// An order was accepted.
    pub fn order_accepted(&self) {
        self.orders_accepted_total.inc();
    }

    /// An outcome was applied, or came again.
    pub fn outcome_is_consistent(&self) {
        self.consistent.inc();
    }

    /// An outcome differs from the one that was applied.
    pub fn outcome_contradicts(&self) {
        self.contradiction.inc();
    }

    /// `count` more orders have been pending for longer than they may be.
    pub fn orders_late(&self, count: u64) {
        self.late.inc_by(count);
    }

    /// An order was settled that nobody had judged before.
    pub fn order_judged(&self, freshness: Freshness) {
        match freshness {
            Freshness::Fresh => self.fresh.inc(),
            Freshness::Late => self.late.inc(),
        }
    }

    /// An order got its outcome, `after` it was accepted.
    pub fn order_settled(&self, status: OrderStatus, after: Duration) {
        match status {
            OrderStatus::Completed => self.completed.inc(),
            OrderStatus::Rejected => self.rejected.inc(),
            OrderStatus::Pending => return,
        }
        self.order_settle_duration_seconds.observe(after.as_secs_f64());
    }
}
