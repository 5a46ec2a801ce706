//! What a disaster cost: RPO from what callers know was accepted, RTO by the clock.
//!
//! A backup tool cannot know what was lost: only who was answered 202 can.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

/// An order that a caller has an acceptance for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// When the caller had the answer.
    pub at: DateTime<Utc>,
    /// Whether it was there after the restore, before anybody sent it again.
    pub survived: bool,
}

/// What a disaster cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Loss {
    /// Orders that were accepted before the disaster.
    pub accepted: usize,
    /// How many of them the restore did not bring back.
    pub lost: usize,
    /// RPO: seconds from the acceptance of the oldest lost order to the disaster; 0 if none was lost.
    pub rpo_seconds: f64,
    /// RTO: seconds from the disaster to the first order that was accepted again; `None` if there was none.
    pub rto_seconds: Option<f64>,
}

impl Loss {
    /// Of a disaster at this moment, after which the first order was accepted at `back`. What was accepted after the
    /// disaster does not count.
    #[must_use]
    pub fn of(orders: &[Accepted], disaster: DateTime<Utc>, back: Option<DateTime<Utc>>) -> Self {
        let before = || orders.iter().filter(move |order| order.at <= disaster);
        let lost = || before().filter(|order| !order.survived);
        let oldest = lost().map(|order| order.at).min();
        Self {
            accepted: before().count(),
            lost: lost().count(),
            rpo_seconds: oldest.map_or(0.0, |oldest| seconds(disaster - oldest)),
            rto_seconds: back.map(|back| seconds(back - disaster)),
        }
    }

    /// Whether both are within their bars, in seconds. Without an order after the disaster, RTO is not.
    #[must_use]
    pub fn within(&self, rpo: f64, rto: f64) -> bool {
        self.rpo_seconds <= rpo && self.rto_seconds.is_some_and(|seconds| seconds <= rto)
    }
}

/// Never negative: clocks are only read in one place, but an answer may be noted a moment after the disaster.
fn seconds(delta: TimeDelta) -> f64 {
    delta.to_std().unwrap_or_default().as_secs_f64()
}
