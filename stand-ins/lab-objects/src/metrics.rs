//! What the store exports: its calls, and what it keeps.

use std::{sync::Arc, time::Duration};

use chassis_telemetry::metrics::{
    HistogramVec, IntCounter, IntCounterVec, IntGauge, LATENCY_BUCKETS, Metrics,
};

use crate::store::Store;

chassis_telemetry::metrics! {
    /// Of the whole process. Cheap to clone.
    #[derive(Clone)]
    pub struct ObjectMetrics {
        /// Calls, by operation and status of the answer.
        pub s3_requests_total: IntCounterVec["operation", "status"],
        /// Time from a call to the head of its answer, its body read, by operation.
        pub s3_request_duration_seconds: HistogramVec["operation"](LATENCY_BUCKETS),
        /// Bytes of objects and parts that were received.
        pub s3_received_bytes_total: IntCounter,
        /// Bytes of objects that were to be sent.
        pub s3_sent_bytes_total: IntCounter,
        /// Objects, versions and delete markers that are kept.
        pub objects_stored: IntGauge,
        /// Bytes of objects, versions and parts that are kept.
        pub objects_stored_bytes: IntGauge,
        /// Bytes that may be kept.
        pub objects_quota_bytes: IntGauge,
    }
}

impl ObjectMetrics {
    /// Counts one call.
    pub fn called(&self, operation: &str, status: u16, took: Duration) {
        self.s3_requests_total.with_label_values(&[operation, &status.to_string()]).inc();
        self.s3_request_duration_seconds.with(&[operation]).observe(took.as_secs_f64());
    }

    /// Lets each scrape ask `store` what it keeps.
    pub fn measure(&self, metrics: &Metrics, store: &Arc<Store>) {
        let (own, store) = (self.clone(), Arc::clone(store));
        metrics.on_scrape(move || {
            let (count, bytes) = store.size();
            own.objects_stored.set(gauge(count));
            own.objects_stored_bytes.set(gauge(bytes));
            own.objects_quota_bytes.set(gauge(store.quota()));
        });
    }
}

fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
