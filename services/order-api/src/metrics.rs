//! What order-api exports beyond the chassis: the business counters. The text of each registration is its HELP.

use std::time::Duration;

use chassis_telemetry::metrics::{Histogram, Metrics};
use contracts::orders::OrderStatus;
use prometheus::IntCounter;

use crate::freshness::FRESH_WITHIN;

/// Buckets of the time from acceptance to settlement, in seconds.
const SETTLE_BUCKETS: &[f64] =
    &[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 300.0];

/// The business metrics. Cheap to clone.
#[derive(Clone)]
pub struct OrderApiMetrics {
    /// Orders answered with 202 for the first time; a replay of an idempotency key does not count.
    accepted: IntCounter,
    /// Orders whose outcome was applied: paid.
    completed: IntCounter,
    /// Orders whose outcome was applied: declined.
    rejected: IntCounter,
    /// Acceptance to outcome applied, in seconds.
    settle_duration: Histogram,
    /// Orders settled within [`FRESH_WITHIN`].
    fresh: IntCounter,
    /// Orders that were not.
    late: IntCounter,
    /// Outcomes that say what their order says.
    consistent: IntCounter,
    /// Outcomes that do not.
    contradiction: IntCounter,
}

impl OrderApiMetrics {
    /// Registers everything; each series exists from the start.
    #[must_use]
    pub fn register(metrics: &Metrics) -> Self {
        let settled = metrics.counter_vec(
            "orders_settled_total",
            "Orders whose outcome was applied, once each.",
            &["status"],
        );
        let settle_duration = metrics.histogram_vec(
            "order_settle_duration_seconds",
            "Time from accepting an order to applying its outcome.",
            &[],
            SETTLE_BUCKETS,
        );
        let freshness = metrics.counter_vec(
            "order_freshness_checked_total",
            "Accepted orders, judged once each: fresh (settled within 5 s) or late.",
            &["result"],
        );
        let checked = metrics.counter_vec(
            "order_outcomes_checked_total",
            "Outcomes that found their order settled, now or before, by whether they say the same as it.",
            &["result"],
        );
        Self {
            consistent: checked.with_label_values(&["consistent"]),
            contradiction: checked.with_label_values(&["contradiction"]),
            fresh: freshness.with_label_values(&["fresh"]),
            late: freshness.with_label_values(&["late"]),
            accepted: metrics.counter(
                "orders_accepted_total",
                "Orders accepted; replays of an idempotency key not counted.",
            ),
            completed: settled.with_label_values(&[OrderStatus::Completed.as_str()]),
            rejected: settled.with_label_values(&[OrderStatus::Rejected.as_str()]),
            settle_duration: settle_duration.with(&[]),
        }
    }

    /// An order was accepted.
    pub fn order_accepted(&self) {
        self.accepted.inc();
    }

    /// An outcome was applied, or came again.
    pub fn outcome_is_consistent(&self) {
        self.consistent.inc();
    }

    /// An outcome differs from the one that was applied.
    pub fn outcome_contradicts(&self) {
        self.contradiction.inc();
    }

    /// `count` orders have been pending for longer than [`FRESH_WITHIN`], and were not counted before.
    pub fn orders_late(&self, count: u64) {
        self.late.inc_by(count);
    }

    /// An order got its outcome, `after` it was accepted; `judged_late` when it was counted as late before.
    pub fn order_settled(&self, status: OrderStatus, after: Duration, judged_late: bool) {
        match status {
            OrderStatus::Completed => self.completed.inc(),
            OrderStatus::Rejected => self.rejected.inc(),
            OrderStatus::Pending => return,
        }
        self.settle_duration.observe(after.as_secs_f64());
        if judged_late {
            return;
        }
        if after <= FRESH_WITHIN { self.fresh.inc() } else { self.late.inc() }
    }
}
