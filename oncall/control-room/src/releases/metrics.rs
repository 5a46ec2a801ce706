//! What is counted about releases, and the four figures of delivery. Every series exists from the start, at 0.

use chassis_telemetry::metrics::Metrics;
use prometheus::{Gauge, IntCounterVec, IntGauge};
use release::{dora::Figures, run::How};

const ENDINGS: [How; 4] = [How::Released, How::RolledBack, How::Aborted, How::Stuck];

/// Handles. Cheap to clone.
#[derive(Clone)]
pub struct ReleaseMetrics {
    releases: IntCounterVec,
    open: IntGauge,
    per_day: Gauge,
    lead_time: Gauge,
    failures: Gauge,
    restore: Gauge,
}

impl ReleaseMetrics {
    /// Registers everything, each series at 0.
    #[must_use]
    pub fn register(metrics: &Metrics) -> Self {
        let this = Self {
            releases: metrics.counter_vec(
                "control_room_releases_total",
                "Releases that are over, by how they ended.",
                &["ending"],
            ),
            open: metrics.gauge("control_room_releases_open", "Releases that are not over."),
            per_day: metrics.float_gauge(
                "control_room_delivery_deployments_per_day",
                "Releases that reached everyone, per day, over 30 days.",
            ),
            lead_time: metrics.float_gauge(
                "control_room_delivery_lead_time_seconds",
                "Median time from a written change until everyone had it, over 30 days; 0 without one.",
            ),
            failures: metrics.float_gauge(
                "control_room_delivery_change_failure_ratio",
                "Share of the changes that users met and that failed, over 30 days; 0 without one.",
            ),
            restore: metrics.float_gauge(
                "control_room_delivery_restore_seconds",
                "Median time from when users met a failed change until it was repaired, over 30 days; 0 without one.",
            ),
        };
        for ending in ENDINGS {
            this.releases.with_label_values(&[ending.to_string()]);
        }
        this
    }

    pub(super) fn ended(&self, how: How) {
        self.releases.with_label_values(&[how.to_string()]).inc();
    }

    pub(super) fn open(&self, count: usize) {
        self.open.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(super) fn delivery(&self, figures: &Figures) {
        self.per_day.set(figures.per_day.unwrap_or_default());
        self.lead_time.set(figures.lead_time.as_ref().map_or(0.0, |summary| summary.median));
        self.failures.set(figures.failures.map_or(0.0, |rate| rate.share));
        self.restore.set(figures.restore.as_ref().map_or(0.0, |summary| summary.median));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_exists_from_the_start() {
        let metrics = Metrics::default();
        let releases = ReleaseMetrics::register(&metrics);
        releases.ended(How::RolledBack);
        let text = String::from_utf8(metrics.render(None).1).unwrap();
        for series in [
            r#"control_room_releases_total{ending="rolled-back"} 1"#,
            r#"control_room_releases_total{ending="stuck"} 0"#,
            "control_room_releases_open 0",
            "control_room_delivery_change_failure_ratio 0",
        ] {
            assert!(text.contains(series), "{series}: {text}");
        }
    }
}
