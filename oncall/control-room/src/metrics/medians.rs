//! The median time of the incidents that ended, and where the median of such incidents probably is: the 95 % bootstrap
//! interval that the page Measures has. Without its interval, nobody knows what a median of a handful is worth.

use std::collections::BTreeMap;

use chassis_telemetry::metrics::Metrics;
use incident::{
    measures::{Overview, Start},
    statistics::Summary,
};
use prometheus::GaugeVec;

/// Until when, and from when: times with different beginnings cannot be compared.
const LABELS: [&str; 2] = ["until", "since"];

/// Handles. Cheap to clone.
#[derive(Clone)]
pub(super) struct Medians {
    median: GaugeVec,
    low: GaugeVec,
    high: GaugeVec,
}

impl Medians {
    /// Registers them, each series at 0.
    pub(super) fn register(metrics: &Metrics) -> Self {
        let gauge = |what: &str, help: &str| {
            metrics.float_gauge_vec(&format!("control_room_incident_{what}_seconds"), help, &LABELS)
        };
        let this = Self {
            median: gauge("median", "Median time of the newest incidents that ended; 0 without one."),
            low: gauge("median_low", "Lower end of the 95 % interval of that median; 0 without one."),
            high: gauge("median_high", "Upper end of the 95 % interval of that median; 0 without one."),
        };
        this.set(&BTreeMap::new());
        this
    }

    /// What incidents with the same beginning say; what is missing is 0.
    pub(super) fn set(&self, overviews: &BTreeMap<Start, Overview>) {
        for since in Start::ALL {
            for (until, summary) in times(overviews.get(&since)) {
                let labels = [until, since.name()];
                let (low, high) = summary.map_or((0.0, 0.0), |summary| summary.interval);
                self.median.with_label_values(&labels).set(summary.map_or(0.0, |summary| summary.median));
                self.low.with_label_values(&labels).set(low);
                self.high.with_label_values(&labels).set(high);
            }
        }
    }
}

/// The values of the label `until`, and what is known of each.
fn times(overview: Option<&Overview>) -> [(&'static str, Option<Summary>); 4] {
    [
        ("detect", overview.and_then(|one| one.mttd)),
        ("acknowledge", overview.and_then(|one| one.mtta)),
        ("mitigate", overview.and_then(|one| one.mttm)),
        ("recover", overview.and_then(|one| one.mttr)),
    ]
}
