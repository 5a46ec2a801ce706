//! Time as a number that fits an atomic.

use std::time::Duration;

use tokio::time::Instant;

/// Milliseconds since the port was opened; never 0, which means "unset".
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now(self) -> u64 {
        millis(self.0.elapsed()).saturating_add(1)
    }

    /// Rounded up: a deadline due at the instant is also due by the clock.
    pub(crate) fn instant(self, at: u64) -> Instant {
        self.0 + Duration::from_millis(at)
    }
}

/// Whole milliseconds of `time`.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
