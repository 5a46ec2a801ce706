//! Bandwidth: connections in one direction share a lane, and pass one after the other.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

/// Both directions of a link.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    pub(crate) there: Lane,
    pub(crate) back: Lane,
}

/// One direction.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    /// When the bytes that were let in so far will have passed.
    free: Mutex<Option<Instant>>,
}

impl Lane {
    /// Waits as long as `bytes` take at this many bytes per second.
    pub(crate) async fn pass(&self, bytes: usize, bandwidth: Option<u64>) {
        let Some(bandwidth) = bandwidth else {
            // What the next limit lets pass does not wait for the bytes of the one before.
            *self.free.lock() = None;
            return;
        };
        let takes = Duration::from_secs_f64(bytes as f64 / bandwidth.max(1) as f64);
        sleep_until(self.reserve(takes)).await;
    }

    fn reserve(&self, takes: Duration) -> Instant {
        let mut free = self.free.lock();
        let now = Instant::now();
        let until = free.map_or(now, |at| at.max(now)) + takes;
        *free = Some(until);
        until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_let_in_is_forgotten_with_its_limit() {
        let (lane, began) = (Lane::default(), Instant::now());
        // A minute of bytes, whose connection ends after a second.
        let left = tokio::time::timeout(Duration::from_secs(1), lane.pass(60_000, Some(1000))).await;
        assert!(left.is_err());
        lane.pass(1, None).await;
        lane.pass(1000, Some(1000)).await;
        assert_eq!(began.elapsed().as_millis(), 2000);
    }

    #[tokio::test(start_paused = true)]
    async fn connections_share_the_bandwidth_of_a_lane() {
        let (lane, began) = (Lane::default(), Instant::now());
        tokio::join!(lane.pass(1000, Some(1000)), lane.pass(1000, Some(1000)));
        assert_eq!(began.elapsed().as_millis(), 2000);
        lane.pass(1_000_000, None).await;
        assert_eq!(began.elapsed().as_millis(), 2000, "no limit, no wait");
    }
}
