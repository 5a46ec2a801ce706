//! What order-worker exports beyond the chassis: the business counters.

use prometheus::Counter;

chassis_telemetry::metrics! {
    /// The business metrics. Cheap to clone.
    #[derive(Clone)]
    pub struct OrderWorkerMetrics {
        /// Dollars of completed payments.
        pub revenue_dollars_total: Counter,
    }

    /// Order messages that were handled, by what became of them.
    orders_processed_total["status"] = {
        pub completed: "completed",
        pub rejected: "rejected",
        pub duplicate: "duplicate",
        pub dead_letter: "dead_letter",
    };

    /// Orders whose total was recomputed from the lines, by whether it agrees.
    order_totals_checked_total["result"] = {
        pub total_match: "match",
        pub total_mismatch: "mismatch",
    };
}
