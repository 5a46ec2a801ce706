//! What the shop promises of an order's time: that it is settled soon after it was accepted.

use std::time::Duration;

/// What the freshness objective promises (dashboards/slos/order-freshness.yaml).
pub const FRESH_WITHIN: Duration = Duration::from_secs(5);

/// Whether an order was settled in time. Each accepted order is judged once: when it is settled, or as late as soon as its time
/// is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Within [`FRESH_WITHIN`].
    Fresh,
    /// Not within it.
    Late,
}

impl Freshness {
    /// That of an order which was settled this long `after` it was accepted.
    #[must_use]
    pub fn of(after: Duration) -> Self {
        if after <= FRESH_WITHIN { Self::Fresh } else { Self::Late }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_fresh_up_to_the_last_moment_of_its_time() {
        assert_eq!(Freshness::of(Duration::ZERO), Freshness::Fresh);
        assert_eq!(Freshness::of(FRESH_WITHIN), Freshness::Fresh);
        assert_eq!(Freshness::of(FRESH_WITHIN + Duration::from_nanos(1)), Freshness::Late);
    }
}
