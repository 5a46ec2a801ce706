//! What order-worker exports beyond the chassis: the business counters.

use chassis_telemetry::metrics::Metrics;
use contracts::orders::Track;
use prometheus::{Counter, IntCounter, IntCounterVec};

chassis_telemetry::metrics! {
    /// The business metrics. Cheap to clone.
    #[derive(Clone)]
    pub struct OrderWorkerMetrics {
        /// Dollars of completed payments.
        pub revenue_dollars_total: Counter,
        /// Orders whose total was recomputed from the lines, by whether it agrees, and by which of the versions of a release
        /// accepted them.
        order_totals_checked_total: IntCounterVec["result", "track"],
    }

    /// Order messages that were handled, by what became of them.
    orders_processed_total["status"] = {
        pub completed: "completed",
        pub rejected: "rejected",
        pub duplicate: "duplicate",
        pub dead_letter: "dead_letter",
    };
}

impl OrderWorkerMetrics {
    /// Registers every metric; each series exists from now on.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Self {
        let own = Self::register(metrics);
        for track in [None, Some(Track::Baseline), Some(Track::Canary)] {
            for matches in [true, false] {
                own.totals(matches, track);
            }
        }
        own
    }

    /// The total of an order was recomputed: whether it agrees, and who accepted the order.
    pub fn total_checked(&self, matches: bool, track: Option<Track>) {
        self.totals(matches, track).inc();
    }

    fn totals(&self, matches: bool, track: Option<Track>) -> IntCounter {
        let result = if matches { "match" } else { "mismatch" };
        let track = track.map_or("stable", Track::as_str);
        self.order_totals_checked_total.with_label_values(&[result, track])
    }
}
