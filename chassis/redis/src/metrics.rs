//! The metrics of the cache.

use std::time::Duration;

use prometheus::{IntCounter, IntCounterVec};

use chassis_telemetry::metrics::{HistogramVec, LATENCY_BUCKETS, Metrics};

/// The operations, as label values.
const OPERATIONS: [&str; 3] = ["get", "set", "delete"];

chassis_telemetry::metrics! {
    /// The families.
    struct Families {
        /// Lookups that found a fresh entry.
        cache_hits_total: IntCounterVec["cache_type"],
        /// Lookups that found no fresh entry.
        cache_misses_total: IntCounterVec["cache_type"],
        /// Cache operations that failed or took longer than their deadline.
        cache_errors_total: IntCounterVec["cache_type", "operation"],
        /// Time of one cache operation, failed ones included.
        cache_operation_duration_seconds: HistogramVec["operation"](LATENCY_BUCKETS),
    }
}

/// The metrics of one cache.
pub(super) struct CacheMetrics {
    cache_type: &'static str,
    pub(super) hits: IntCounter,
    pub(super) misses: IntCounter,
    families: Families,
}

impl CacheMetrics {
    pub(super) fn new(metrics: &Metrics, cache_type: &'static str) -> Self {
        let families = Families::register(metrics);
        for operation in OPERATIONS {
            families.cache_errors_total.with_label_values(&[cache_type, operation]);
            let _ = families.cache_operation_duration_seconds.with(&[operation]);
        }
        Self {
            cache_type,
            hits: families.cache_hits_total.with_label_values(&[cache_type]),
            misses: families.cache_misses_total.with_label_values(&[cache_type]),
            families,
        }
    }

    pub(super) fn observe(&self, operation: &str, took: Duration, failed: bool) {
        let Families { cache_errors_total, cache_operation_duration_seconds, .. } = &self.families;
        cache_operation_duration_seconds.with(&[operation]).observe(took.as_secs_f64());
        if failed {
            cache_errors_total.with_label_values(&[self.cache_type, operation]).inc();
        }
    }
}
