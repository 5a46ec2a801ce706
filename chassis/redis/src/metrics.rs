//! The metrics of the cache.

use std::time::Duration;

use prometheus::{IntCounter, IntCounterVec};

use chassis_telemetry::metrics::{HistogramVec, LATENCY_BUCKETS, Metrics};

/// The operations, as label values.
const OPERATIONS: [&str; 3] = ["get", "set", "delete"];

/// The metrics of one cache.
pub(super) struct CacheMetrics {
    cache_type: &'static str,
    pub(super) hits: IntCounter,
    pub(super) misses: IntCounter,
    errors: IntCounterVec,
    duration: HistogramVec,
}

impl CacheMetrics {
    pub(super) fn new(metrics: &Metrics, cache_type: &'static str) -> Self {
        let labels = ["cache_type"];
        let hits = metrics.counter_vec("cache_hits_total", "Lookups that found a fresh entry.", &labels);
        let misses = metrics.counter_vec("cache_misses_total", "Lookups that found no fresh entry.", &labels);
        let errors = metrics.counter_vec(
            "cache_errors_total",
            "Cache operations that failed or took longer than their deadline.",
            &["cache_type", "operation"],
        );
        let duration = metrics.histogram_vec(
            "cache_operation_duration_seconds",
            "Time of one cache operation, failed ones included.",
            &["operation"],
            LATENCY_BUCKETS,
        );
        for operation in OPERATIONS {
            errors.with_label_values(&[cache_type, operation]);
            let _ = duration.with(&[operation]);
        }
        Self {
            cache_type,
            hits: hits.with_label_values(&[cache_type]),
            misses: misses.with_label_values(&[cache_type]),
            errors,
            duration,
        }
    }

    pub(super) fn observe(&self, operation: &str, took: Duration, failed: bool) {
        self.duration.with(&[operation]).observe(took.as_secs_f64());
        if failed {
            self.errors.with_label_values(&[self.cache_type, operation]).inc();
        }
    }
}
