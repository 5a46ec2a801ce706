//! All metrics of user-service beyond those that the chassis exports for HTTP, database, cache and process.

use chassis_telemetry::metrics::Metrics;
use prometheus::{IntCounter, IntGauge};

use crate::domain::ActiveUsers;

chassis_telemetry::metrics! {
    /// What the lookup policy counts. Cheap to clone.
    #[derive(Clone)]
    pub struct LookupMetrics {
        /// Reads of one user at the database, after a miss or past a failed cache.
        pub cache_origin_reads_total: IntCounter,
        /// Reads that shared the database read of another request for the same user.
        pub cache_coalesced_total: IntCounter,
        /// Expired copies that were served because the database failed.
        pub cache_stale_served_total: IntCounter,
        /// Reads past a failed cache that were refused to keep the database alive.
        pub cache_bypass_refused_total: IntCounter,
    }
}

chassis_telemetry::metrics! {
    /// Gauges that are read at each scrape.
    struct Gauges {
        /// Distinct users that were read in the last 15 minutes, at most 100000.
        active_users: IntGauge,
    }
}

/// Keeps `active_users`; handlers tell the result whom they read.
#[must_use]
pub fn active_users(metrics: &Metrics) -> ActiveUsers {
    let active_users = ActiveUsers::default();
    let (gauges, counted) = (Gauges::register(metrics), active_users.clone());
    metrics.on_scrape(move || gauges.active_users.set(counted.count()));
    active_users
}
