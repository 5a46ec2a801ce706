//! All metrics of user-service beyond those that the chassis exports for HTTP, database, cache and process.

use chassis_telemetry::metrics::Metrics;
use prometheus::{IntCounter, IntGaugeVec};

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
        /// Distinct users that any replica read in the last 15 minutes, to about 1 %; absent while Redis does not answer.
        active_users: IntGaugeVec,
    }
}

/// Exports `active_users`: at each scrape what `known` says, and no series if it says nothing.
pub fn active_users(metrics: &Metrics, known: impl Fn() -> Option<u64> + Send + Sync + 'static) {
    let Gauges { active_users } = Gauges::register(metrics);
    metrics.on_scrape(move || match known() {
        Some(count) => {
            active_users.with_label_values::<&str>(&[]).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        None => active_users.reset(),
    });
}
