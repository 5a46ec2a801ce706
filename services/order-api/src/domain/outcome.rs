//! When an outcome can have been decided: not before its order was accepted, and not in the future.
//!
//! There is no limit on its age: after hours without a broker a valid outcome arrives hours late. What is limited is how
//! much the clocks of two services may differ.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// How far the clock of order-worker may be ahead of this one or behind it. Synchronised clocks differ by milliseconds. An
/// unsynchronised one drifts by up to 50 ppm (the tolerance of crystals), 4 s per day: a minute is two weeks of drift, and a
/// larger difference is an error.
pub const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// Whether something decided at `settled_at` can be known at `now`.
#[must_use]
pub fn is_past(settled_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    settled_at <= now + CLOCK_SKEW
}

/// Whether something decided at `settled_at` can be about an order that was accepted at `created_at`.
#[must_use]
pub fn is_after(settled_at: DateTime<Utc>, created_at: DateTime<Utc>) -> bool {
    settled_at >= created_at - CLOCK_SKEW
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clocks_may_differ_by_a_minute_and_an_outcome_may_be_as_old_as_its_order() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let at = |seconds| now + chrono::TimeDelta::seconds(seconds);
        assert!(is_past(at(60), now) && !is_past(at(61), now));
        assert!(is_after(at(-60), now) && !is_after(at(-61), now));
        let year = 365 * 86_400;
        assert!(is_past(at(-year), now) && is_after(at(-year), at(-year)));
        assert!(!is_past(DateTime::<Utc>::MAX_UTC, now) && !is_after(DateTime::<Utc>::MIN_UTC, now));
    }
}
