//! Releases as people and programs see them: what the API answers and pages render.

use chrono::{DateTime, Utc};
use release::{Run, dora::Figures};
use serde::Serialize;

use super::Record;
pub use release::view::{ReleaseDriver, ReleaseStepState, ReleaseStepView, ReleaseView, word};

/// The four figures of delivery, with their time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeliveryView {
    /// Releases that ended from here.
    pub from: DateTime<Utc>,
    /// Until here.
    pub until: DateTime<Utc>,
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
}

pub(super) fn release(record: &Record, run: &Run, now: DateTime<Utc>) -> ReleaseView {
    if record.told {
        return release::view::in_cluster(run, now);
    }
    release::view::release(run, record.new.build.to_string(), now)
}
