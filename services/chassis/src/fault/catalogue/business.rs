//! Faults that no error shows: results are wrong.

use super::{FaultSpec, Reach, count, work};

/// `wrong-total`: totals are silently wrong.
pub const WRONG_TOTAL: FaultSpec = FaultSpec {
    name: "wrong-total",
    summary: "Totals are computed wrongly, by `cents` too much.",
    reach: Reach::Work,
    params: &[count("cents", "how far off, in cents", "100", 1, 1_000_000)],
    signals: "No error and no latency: only `order_totals_checked_total{result=\"mismatch\"}` and `revenue_dollars_total` move.",
    ends: "What was written while it was on stays wrong.",
    baseline: None,
};

/// `lost-update`: an acknowledged change is not there.
pub const LOST_UPDATE: FaultSpec = work(
    "lost-update",
    "A change is answered with success and not written.",
    &[],
    "No error and no latency: reading back shows the old value.",
);
