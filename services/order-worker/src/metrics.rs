//! What order-worker exports beyond the chassis: the business counters. The text of each registration is its HELP.

use chassis_telemetry::metrics::Metrics;
use prometheus::{Counter, IntCounter};

/// The business metrics. Cheap to clone.
#[derive(Clone)]
pub struct OrderWorkerMetrics {
    /// Orders paid.
    pub completed: IntCounter,
    /// Orders whose payment was declined.
    pub rejected: IntCounter,
    /// Orders that came again; their outcome was published again.
    pub duplicate: IntCounter,
    /// Messages that cannot be an order.
    pub dead_letter: IntCounter,
    /// Dollars taken.
    pub revenue: Counter,
    /// Orders whose total is the sum of its lines.
    pub total_match: IntCounter,
    /// Orders whose total is not.
    pub total_mismatch: IntCounter,
}

impl OrderWorkerMetrics {
    /// Registers everything; each series exists from the start.
    #[must_use]
    pub fn register(metrics: &Metrics) -> Self {
        let processed = metrics.counter_vec(
            "orders_processed_total",
            "Order messages that were handled, by what became of them.",
            &["status"],
        );
        let checked = metrics.counter_vec(
            "order_totals_checked_total",
            "Orders whose total was recomputed from the lines, by whether it agrees.",
            &["result"],
        );
        Self {
            completed: processed.with_label_values(&["completed"]),
            rejected: processed.with_label_values(&["rejected"]),
            duplicate: processed.with_label_values(&["duplicate"]),
            dead_letter: processed.with_label_values(&["dead_letter"]),
            revenue: metrics.float_counter("revenue_dollars_total", "Dollars of completed payments."),
            total_match: checked.with_label_values(&["match"]),
            total_mismatch: checked.with_label_values(&["mismatch"]),
        }
    }
}
