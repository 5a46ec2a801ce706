//! All metrics of user-service beyond those that the chassis exports for HTTP, database, cache and process.

use chassis_telemetry::metrics::Metrics;
use prometheus::IntCounter;

use crate::domain::ActiveUsers;

/// Field = metric.
pub struct UserServiceMetrics {
    /// Counters of the lookup policy.
    pub lookup: LookupMetrics,
    /// `active_users`.
    pub active_users: ActiveUsers,
}

/// What the lookup policy counts.
#[derive(Clone)]
pub struct LookupMetrics {
    /// `cache_origin_reads_total`.
    pub origin_reads: IntCounter,
    /// `cache_coalesced_total`.
    pub coalesced: IntCounter,
    /// `cache_stale_served_total`.
    pub stale_served: IntCounter,
    /// `cache_bypass_refused_total`.
    pub bypass_refused: IntCounter,
}

impl UserServiceMetrics {
    /// Registers all of them.
    #[must_use]
    pub fn new(metrics: &Metrics) -> Self {
        let active_users = ActiveUsers::default();
        let gauge = metrics
            .gauge("active_users", "Distinct users that were read in the last 15 minutes, at most 100000.");
        let counted = active_users.clone();
        metrics.on_scrape(move || gauge.set(counted.count()));
        Self { lookup: LookupMetrics::new(metrics), active_users }
    }
}

impl LookupMetrics {
    fn new(metrics: &Metrics) -> Self {
        Self {
            origin_reads: metrics.counter(
                "cache_origin_reads_total",
                "Reads of one user at the database, after a miss or past a failed cache.",
            ),
            coalesced: metrics.counter(
                "cache_coalesced_total",
                "Reads that shared the database read of another request for the same user.",
            ),
            stale_served: metrics.counter(
                "cache_stale_served_total",
                "Expired copies that were served because the database failed.",
            ),
            bypass_refused: metrics.counter(
                "cache_bypass_refused_total",
                "Reads past a failed cache that were refused to keep the database alive.",
            ),
        }
    }
}
